// The decisions on which safety rests, each a small pure function. The simulator swaps single ones for a mistake and must notice.
import type { Message } from './message.ts'
import type { Entry, HardState } from './types.ts'

export interface LogPosition {
  readonly index: number
  readonly term: number
}

export interface Rules {
  /** How many of the voters decide. */
  quorum(voters: number): number
  /** One vote a term (§5.2). */
  mayVoteFor(candidate: number, vote: number): boolean
  /** A leader must hold every committed entry, so voters refuse a log that is behind theirs (§5.4.1). */
  isUpToDate(candidate: LogPosition, own: LogPosition): boolean
  /** Who hears a leader does not help to depose it (thesis §4.2.3, §9.6). */
  standsByLeader(sinceContactMs: number, electionTimeoutMs: number): boolean
  /** A message of an earlier term takes no effect (§5.1). */
  isStale(messageTerm: number, term: number): boolean
  /** Counting replicas commits entries of the leader's own term only; older ones are committed along with them (§5.4.2, figure 8). */
  mayCommitByCounting(entryTerm: number, term: number): boolean
  /** How much of its commit index a leader tells to a follower that is known to hold its log up to `match`, and maybe another after it. */
  commitToTell(commit: number, match: number): number
  /** The first of the leader's entries that the log lacks or holds with another term: from there on the log is replaced (§5.3). */
  firstDifference(entries: readonly Entry[], termAt: (index: number) => number | undefined): number
  /** What the leader counts of its own log: what its own disk has. */
  ownMatch(durable: number, last: number): number
  /** How far the log is durable after a write that reached `written`, of which everything after `intact` has been replaced since. */
  durableAfter(written: number, intact: number): number
  /** Whether a message can only be sent with a write before it (figure 2: "updated on stable storage before responding"). */
  mustPersist(before: HardState, after: HardState): boolean
  /** Promises wait for the disk. A leader's own messages do not: its term is durable, and entries may travel while it writes them. */
  waitsForDisk(kind: Message['kind']): boolean
  /** A snapshot that tells nothing new is not installed: it would take back committed entries. */
  isNewSnapshot(index: number, commit: number): boolean
  /** A leader knows what is committed once an entry of its own term is (§8). */
  knowsCommit(committedTerm: number, term: number): boolean
  /** A read is answered once a quorum confirmed the leader in a round that began after the read did (§8). `rounds`: newest first. */
  isReadConfirmed(round: number, rounds: readonly number[], quorum: number): boolean
}

export const RULES: Rules = {
  quorum: (voters) => Math.floor(voters / 2) + 1,
  mayVoteFor: (candidate, vote) => vote === -1 || vote === candidate,
  isUpToDate: (candidate, own) => candidate.term > own.term || (candidate.term === own.term && candidate.index >= own.index),
  standsByLeader: (sinceContactMs, electionTimeoutMs) => sinceContactMs < electionTimeoutMs,
  isStale: (messageTerm, term) => messageTerm < term,
  mayCommitByCounting: (entryTerm, term) => entryTerm === term,
  commitToTell: (commit, match) => Math.min(commit, match),
  firstDifference: (entries, termAt) => {
    const at = entries.findIndex((entry) => termAt(entry.index) !== entry.term)
    return at === -1 ? entries.length : at
  },
  ownMatch: (durable) => durable,
  durableAfter: (written, intact) => Math.min(written, intact),
  mustPersist: (before, after) => before.term !== after.term || before.vote !== after.vote,
  waitsForDisk: (kind) => kind !== 'append' && kind !== 'heartbeat' && kind !== 'installSnapshot' && kind !== 'timeoutNow',
  isNewSnapshot: (index, commit) => index > commit,
  knowsCommit: (committedTerm, term) => committedTerm === term,
  isReadConfirmed: (round, rounds, quorum) => rounds[quorum - 1]! >= round,
}
