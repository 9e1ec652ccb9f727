// The vocabulary of the package: what a log consists of, what reaches the disk, and the settings of a group.

/** Empty data is the no-op with which a new leader opens its term (Raft §8). */
export interface Entry {
  readonly index: number
  readonly term: number
  readonly data: Uint8Array
}

/** The applied state up to and including `index`, which replaces the log before it (Raft §7). */
export interface Snapshot {
  readonly index: number
  readonly term: number
  readonly data: Uint8Array
}

export interface HardState {
  term: number
  /** -1: no vote in this term. */
  vote: number
  /** A lower bound: recorded along with other writes and when the group is idle. */
  commit: number
}

/**
 * One atomic write. Its parts take effect in this order: entries from `truncateFrom` on are removed; `snapshot` replaces the one before
 * it and all entries up to its index; `entries` are added at the end; `hardState` replaces the one before it.
 */
export interface Batch {
  truncateFrom?: number
  snapshot?: Snapshot
  entries: readonly Entry[]
  hardState?: HardState
}

export interface Survived {
  hardState: HardState
  snapshot: Snapshot | undefined
  entries: Entry[]
}

/** Port: `level` in the node shell, virtual in the simulator. One contract suite runs on both. */
export interface RaftStorage {
  /** What survived, at start. Damage below the recorded commit rejects with RaftStorageCorruption; a damaged tail above it is dropped. */
  load(): Promise<Survived>
  /**
   * One atomic batch, synced. `done()` is called once it is durable, in the order of the calls; `done(error)` means that the node must stop: what reached the disk is unknown, and a sync that failed is not retried.
   */
  persist(batch: Batch, done: (error?: Error) => void): void
  close(): Promise<void>
}

/** The disk lost something that this node had promised to keep. It must not start: it would vote and count as if it remembered. */
export class RaftStorageCorruption extends Error {
  override readonly name = 'RaftStorageCorruption'
  /** What the person can do now. */
  readonly advice: string
  constructor(happened: string) {
    super(happened)
    this.advice =
      'Do not start this controller on this folder. Restore the folder from a copy taken after the damage cannot have happened, ' +
      'or replace the controller: the others hold the log as long as a majority of them is intact.'
  }
}

export interface RaftTiming {
  readonly heartbeatMs: number
  /** Drawn anew from [t, 2t) for every wait. Also how long a follower stands by a leader it has heard (pre-vote, Raft thesis §9.6). */
  readonly electionTimeoutMs: number
  /** A leader that has heard from no majority for this long, or whose own disk is stuck for this long, steps down (thesis §6.2). */
  readonly checkQuorumMs: number
}

/** Kafka's figures: controller.quorum.fetch.timeout.ms 2000, and 1.5 times that until a leader without followers resigns. */
export const DEFAULT_TIMING: RaftTiming = { heartbeatMs: 250, electionTimeoutMs: 2000, checkQuorumMs: 3000 }

export interface RaftLimits {
  /** Entries in one message; one larger entry still travels, alone. */
  readonly appendBytes: number
  /** Messages with entries on their way to one follower. */
  readonly inflightAppends: number
  /** Proposals are refused while the leader holds more than this uncommitted. */
  readonly uncommittedBytes: number
  readonly snapshotChunkBytes: number
}

export const DEFAULT_LIMITS: RaftLimits = {
  appendBytes: 1 << 20,
  inflightAppends: 16,
  uncommittedBytes: 64 << 20,
  snapshotChunkBytes: 1 << 20,
}

export type Role = 'follower' | 'precandidate' | 'candidate' | 'leader'

export interface RoleStatus {
  readonly role: Role
  readonly term: number
  /** -1: unknown. */
  readonly leader: number
}
