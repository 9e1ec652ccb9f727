// What a transaction coordinator is told, under Kafka's names, and what it needs of the broker around it.
import type { ErrorCode } from '@faultline/protocol'
import type { TransactionEnd } from '../runtime/ports.ts'

export interface TransactionConfig {
  /** transaction.max.timeout.ms */
  readonly maxTimeoutMs: number
  /** transaction.abort.timed.out.transaction.cleanup.interval.ms */
  readonly abortCheckMs: number
  /** transactional.id.expiration.ms */
  readonly expirationMs: number
  /** transaction.remove.expired.transaction.cleanup.interval.ms */
  readonly expirationCheckMs: number
}

export interface ProducerIdSource {
  /** Undefined when no controller gave any in time. */
  next(): Promise<number | undefined>
}

/** No such partition: its topic was deleted, and a transaction need not end there. */
export const PARTITION_GONE = 'gone'
export type MarkerResult = ErrorCode | typeof PARTITION_GONE

/** The way to the leaders of a transaction's partitions. */
export interface MarkerWriter {
  /** Writes the marker to one partition with acks=all; `done` is called once, now or later. */
  write(end: TransactionEnd, topic: string, partition: number, done: (result: MarkerResult) => void): void
}
