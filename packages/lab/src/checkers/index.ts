// Every checker, in one file each.
import { abortedRead } from './aborted-read.ts'
import type { Checked, Checker } from './checker.ts'
import { circularFlow } from './circular-flow.ts'
import { commitBack } from './commit-back.ts'
import { contradictory } from './contradictory.ts'
import { dirtyRead } from './dirty-read.ts'
import { disagreeing } from './disagreeing.ts'
import { divergent } from './divergent.ts'
import { duplicated } from './duplicated.ts'
import { Facts, type Left } from './facts.ts'
import { fencedCommit } from './fenced-commit.ts'
import { highWatermarkBack } from './high-watermark-back.ts'
import { invented } from './invented.ts'
import { leaderEpochBack } from './leader-epoch-back.ts'
import { lost } from './lost.ts'
import { nonmonotonicPoll } from './nonmonotonic-poll.ts'
import { nonmonotonicSend } from './nonmonotonic-send.ts'
import { pollSkip } from './poll-skip.ts'
import { reordered } from './reordered.ts'
import { tornOffsets } from './torn-offsets.ts'
import { torn } from './torn.ts'
import { twoLeaders } from './two-leaders.ts'
import { twoOwners } from './two-owners.ts'
import { unbalanced } from './unbalanced.ts'
import { unreadCommit } from './unread-commit.ts'
import { unseen } from './unseen.ts'
import { vanished } from './vanished.ts'
import { writeCycles } from './write-cycles.ts'

export const CHECKERS: readonly Checker[] = [
  ...[lost, vanished, duplicated, reordered, contradictory, invented],
  ...[nonmonotonicPoll, pollSkip, nonmonotonicSend, unseen],
  ...[abortedRead, dirtyRead, torn, tornOffsets, unbalanced, writeCycles, circularFlow],
  ...[twoOwners, fencedCommit, commitBack, unreadCommit],
  ...[highWatermarkBack, leaderEpochBack, twoLeaders, disagreeing, divergent],
]

/** What each finds, by its anomaly. */
export function checkAll(left: Left): ReadonlyMap<string, Checked> {
  const facts = new Facts(left)
  return new Map(CHECKERS.map(({ anomaly, check }) => [anomaly, check(facts)]))
}

export type { Checked, Checker, Finding } from './checker.ts'
export { Facts, type Left } from './facts.ts'
