// Mistakes, one a name: what the simulator must find. Each changes one rule of src/rules.ts, or the disk. Never part of a node.
import { RULES, type Rules } from '../../src/index.ts'
import type { VirtualStorage } from './virtual-storage.ts'

export interface Planted {
  readonly rules: Rules
  readonly storage?: (storage: VirtualStorage) => VirtualStorage
}

interface Mistake extends Planted {
  readonly about: string
}

const rule = (about: string, changed: Partial<Rules>): Mistake => ({ about, rules: { ...RULES, ...changed } })

export const PLANTED: Readonly<Record<string, Mistake>> = {
  'minority-quorum': rule('half of the voters is taken for a majority', {
    quorum: (voters) => Math.max(1, Math.floor(voters / 2)),
  }),
  'vote-twice': rule('a second candidate gets a vote in the same term', { mayVoteFor: () => true }),
  'vote-for-outdated-log': rule('a candidate that lacks committed entries gets votes', { isUpToDate: () => true }),
  'compare-length-only': rule('the longer log wins whatever its last term', {
    isUpToDate: (candidate, own) => candidate.index >= own.index,
  }),
  'vote-not-persisted': rule('term and vote are not written before the answer', { mustPersist: () => false }),
  'ack-before-persist': rule('an answer does not wait for the disk', { waitsForDisk: () => false }),
  'leader-counts-unwritten': rule('the leader counts itself before its own write is done', {
    ownMatch: (_durable, last) => last,
  }),
  'aba-write': rule('a finished write vouches for entries that replaced what it wrote', { durableAfter: (written) => written }),
  'commit-old-term': rule('entries of earlier terms are committed by counting (figure 8)', { mayCommitByCounting: () => true }),
  'no-truncation': rule('conflicting entries are kept', {
    firstDifference: (entries, termAt) => {
      const at = entries.findIndex((entry) => termAt(entry.index) === undefined)
      return at === -1 ? entries.length : at
    },
  }),
  'truncate-always': rule('an old message cuts off what came after it', { firstDifference: () => 0 }),
  'commit-beyond-shown': rule("the leader's commit is taken over for entries that may not be the leader's", {
    followedCommit: (leaderCommit, _shown, last) => Math.min(leaderCommit, last),
  }),
  'stale-term-accepted': rule('messages of deposed leaders still count', { isStale: () => false }),
  'old-snapshot-installed': rule('a late snapshot takes back newer state', { isNewSnapshot: () => true }),
  'read-without-quorum': rule('a leader answers reads without asking anybody', { isReadConfirmed: () => true }),
  'read-before-first-commit': rule('a new leader answers reads before it knows what is committed', { knowsCommit: () => true }),
  'leader-not-stood-by': rule('followers of a working leader help to depose it', { standsByLeader: () => false }),
}

export const NOTHING_PLANTED: Planted = { rules: RULES }
