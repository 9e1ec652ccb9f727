// What a coordinator needs of the partition it lives on, and what its state must offer to be kept there.
import type { Clock, EventFields, Random } from '@faultline/base'
import type { ErrorCode } from '@faultline/protocol'
import type { Deadline } from './deadline.ts'

export interface CoordinatorRecord {
  readonly key: Uint8Array
  /** Null is a tombstone. */
  readonly value: Uint8Array | null
}

export interface LogSlice {
  readonly error: 0
  /** Applications' records only: control records are left out. */
  readonly records: readonly CoordinatorRecord[]
  readonly nextOffset: number
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
  append(records: readonly CoordinatorRecord[]): ErrorCode
}

/** The state of one shard. It changes by `replay` alone, but for what a failover may forget. */
export interface ShardState {
  /** Throws MalformedError for bytes that are no record of this kind. */
  replay(record: CoordinatorRecord): void
  /** All that the log holds has been replayed: timers may run. */
  begin(): void
}

/** What a shard's state may do while it is active. */
export interface ShardContext {
  readonly clock: Clock
  readonly random: Random
  /** Appends as one batch and replays. On an error nothing has happened. */
  append(records: readonly CoordinatorRecord[]): ErrorCode
  /** For many records that need not appear at once: in as many batches as they take. */
  appendInParts(records: readonly CoordinatorRecord[]): ErrorCode
  /** A timer that dies with the shard. */
  deadline(expire: () => void): Deadline
  emit(name: string, fields: EventFields): void
}
