// Mistakes, one a name: what the simulator must find. Each changes one rule of src/rules.ts, or the disk. Never part of a node.
import { type Batch, RULES, type Rules } from '../../src/index.ts'
import { type DiskBehaviour, type VirtualDisk, VirtualStorage } from './virtual-storage.ts'

export interface Planted {
  readonly rules: Rules
  readonly storage?: (disk: VirtualDisk, behaviour: DiskBehaviour) => VirtualStorage
}

interface Mistake extends Planted {
  readonly about: string
  /** Any of these finds it; which one comes first depends on the seed. */
  readonly foundBy: readonly string[]
}

/** Says that a write is durable as soon as it has begun. */
class LyingStorage extends VirtualStorage {
  readonly #behaviour: DiskBehaviour
  constructor(disk: VirtualDisk, behaviour: DiskBehaviour) {
    super(disk, behaviour)
    this.#behaviour = behaviour
  }

  override persist(batch: Batch, done: (error?: Error) => void): void {
    super.persist(batch, () => {})
    this.#behaviour.after(0, done)
  }
}

const rule = (about: string, foundBy: readonly string[], changed: Partial<Rules>): Mistake => {
  return { about, foundBy, rules: { ...RULES, ...changed } }
}

export const PLANTED: Readonly<Record<string, Mistake>> = {
  'minority-quorum': rule('half of the voters is taken for a majority', ['QuorumLog', 'ElectionSafety'], {
    quorum: (voters) => Math.max(1, Math.floor(voters / 2)),
  }),
  'vote-twice': rule('a second candidate gets a vote in the same term', ['OneVoteATerm', 'ElectionSafety', 'VoteIsDurable'], {
    mayVoteFor: () => true,
  }),
  'vote-for-outdated-log': rule('a candidate that lacks committed entries gets votes', ['LeaderCompleteness'], {
    isUpToDate: () => true,
  }),
  'compare-length-only': rule('the longer log wins whatever its last term', ['LeaderCompleteness'], {
    isUpToDate: (candidate, own) => candidate.index >= own.index,
  }),
  'vote-not-persisted': rule('term and vote are not written before the answer', ['VoteIsDurable'], { mustPersist: () => false }),
  'ack-before-persist': rule('an answer does not wait for the disk', ['VoteIsDurable', 'AckIsDurable'], {
    waitsForDisk: () => false,
  }),
  'leader-counts-unwritten': rule('the leader counts itself before its own write is done', ['CommittedIsDurable', 'QuorumLog'], {
    ownMatch: (_durable, last) => last,
  }),
  'aba-write': rule('a finished write vouches for entries that replaced what it wrote', ['AppliedIsDurable'], {
    durableAfter: (written) => written,
  }),
  'commit-old-term': rule('entries of earlier terms are committed by counting (figure 8)', ['CommitsOwnTerm'], {
    mayCommitByCounting: () => true,
  }),
  'no-truncation': rule('conflicting entries are kept', ['QuorumLog', 'StateMachineSafety', 'LogMatching'], {
    firstDifference: (entries, termAt) => {
      const at = entries.findIndex((entry) => termAt(entry.index) === undefined)
      return at === -1 ? entries.length : at
    },
  }),
  'truncate-always': rule('an old message cuts off what came after it', ['QuorumLog', 'AckIsDurable'], {
    firstDifference: () => 0,
  }),
  'commit-beyond-match': rule(
    "a follower is told to commit what may not be in its log as it is in the leader's",
    ['StateMachineSafety', 'LogInv', 'NoMistakes'],
    {
      commitToTell: (commit) => commit,
    },
  ),
  'stale-term-accepted': rule('messages of deposed leaders still count', ['NoMistakes', 'QuorumLog'], { isStale: () => false }),
  'old-snapshot-installed': rule('a late snapshot takes back newer state', ['SnapshotMovesForward', 'MonotonicCommit'], {
    isNewSnapshot: () => true,
  }),
  'read-without-quorum': rule('a leader answers reads without asking anybody', ['ReadSafety'], { isReadConfirmed: () => true }),
  'read-before-first-commit': rule('a new leader answers reads before it knows what is committed', ['ReadSafety'], {
    knowsCommit: () => true,
  }),
  'leader-not-stood-by': rule('followers of a working leader help to depose it', ['StableLeadership'], {
    standsByLeader: () => false,
  }),
  'disk-lies': {
    about: 'the disk says that it has what it has not',
    foundBy: ['VoteIsDurable', 'AckIsDurable'],
    rules: RULES,
    storage: (disk, behaviour) => new LyingStorage(disk, behaviour),
  },
}

export const NOTHING_PLANTED: Planted = { rules: RULES }
