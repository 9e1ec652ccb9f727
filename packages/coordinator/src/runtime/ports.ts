// What a coordinator needs of the partition it lives on, and what its state must offer to be kept there.
import type { Clock, EventFields, Random } from '@faultline/base'
import type { ErrorCode } from '@faultline/protocol'
import type { Deadline } from './deadline.ts'

export interface CoordinatorRecord {
  readonly key: Uint8Array
  /** Null is a tombstone. */
  readonly value: Uint8Array | null
}

/** A record as it stands in the log: `producerId` is that of the transaction it is part of, -1 for none. */
export interface LoggedRecord extends CoordinatorRecord {
  readonly producerId: number
}

/** A transaction marker: what its producer wrote here since its last one counts from now on, or never. */
export interface TransactionEnd {
  readonly producerId: number
  readonly producerEpoch: number
  readonly committed: boolean
  readonly coordinatorEpoch: number
  /** 2 since KIP-890: the marker's epoch is above that of the transaction's records. */
  readonly transactionVersion: number
}

/** What a loading shard sees of a marker. */
export type LoggedEnd = Pick<TransactionEnd, 'producerId' | 'committed'>

export interface LogSlice {
  readonly error: 0
  readonly entries: readonly (LoggedRecord | LoggedEnd)[]
  readonly nextOffset: number
  /** Until a slow disk has read it, in milliseconds. */
  readonly lateMs: number
}

/** The transaction that records are written in. */
export interface WritingTransaction {
  readonly producerId: number
  readonly producerEpoch: number
  /** What the log gave when the transaction began to be verified (KIP-890); it is shown to the log again. */
  readonly guard: object | undefined
}

/** One partition of an internal topic while this broker leads it, in one leader epoch. */
export interface ShardLog {
  readonly startOffset: number
  readonly endOffset: number
  /** What is below is on every in-sync replica. */
  readonly highWatermark: number
  /** A larger batch is refused. */
  readonly maxBatchBytes: number
  /** Some whole batches from `offset` on, at least one. */
  read(offset: number): LogSlice | { readonly error: Exclude<ErrorCode, 0> }
  /** As one batch, with acks=all; NONE, or why nothing was appended. */
  append(records: readonly CoordinatorRecord[], transaction?: WritingTransaction): ErrorCode
  appendEnd(end: TransactionEnd): ErrorCode
}

/** The state of one shard. It changes by `replay` alone, but for what a failover may forget. */
export interface ShardState {
  /** Throws MalformedError for bytes that are no record of this kind. `producerId` is that of a transaction, -1 outside of one. */
  replay(record: CoordinatorRecord, producerId: number): void
  /** The transaction of this producer is over; it may have left no records here. */
  endTransaction(producerId: number, committed: boolean): void
  /** All that the log holds has been replayed: timers may run. */
  begin(): void
}

/** What a shard's state may do while it is active. */
export interface ShardContext {
  readonly clock: Clock
  readonly random: Random
  /** The leader epoch in which the partition is led here. */
  readonly epoch: number
  /** Appends as one batch and replays. On an error nothing has happened. */
  append(records: readonly CoordinatorRecord[], transaction?: WritingTransaction): ErrorCode
  /** Appends a transaction's marker and lets it take effect. On an error nothing has happened. */
  appendEnd(end: TransactionEnd): ErrorCode
  /** For many records that need not appear at once: in as many batches as they take. */
  appendInParts(records: readonly CoordinatorRecord[]): ErrorCode
  /** Runs when all that the log holds now is committed, however long that takes; never when the shard is gone before. */
  whenCommitted(run: () => void): void
  /** `run` as something to call later, which does nothing any more when the shard is gone. */
  whileActive<T>(run: (value: T) => void): (value: T) => void
  /** A timer that dies with the shard. */
  deadline(expire: () => void): Deadline
  emit(name: string, fields: EventFields): void
}
