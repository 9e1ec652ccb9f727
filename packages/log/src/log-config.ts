// The topic settings that a log obeys, with Kafka's defaults. The broker builds one from the topic's configs and hands it over whole.
import type { TimestampType } from '@faultline/protocol'

export type CompressionType = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly maxMessageBytes: number
  /** −1: for ever. */
  readonly retentionMs: number
  /** −1: without bound. */
  readonly retentionBytes: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly timestampType: TimestampType
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** cleanup.policy contains compact. */
  readonly compact: boolean
  /** cleanup.policy contains delete. */
  readonly delete: boolean
  readonly compressionType: CompressionType
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly fileDeleteDelayMs: number
  /** Of the broker: producer.id.expiration.ms. */
  readonly producerIdExpirationMs: number
  /** Of the broker: transaction.partition.verification.enable. Transactional batches then need a guard from `startVerification`. */
  readonly verifyTransactions: boolean
}

const DAY_MS = 24 * 60 * 60 * 1000

export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 7 * DAY_MS,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4096,
  maxMessageBytes: 1_048_588,
  retentionMs: 7 * DAY_MS,
  retentionBytes: -1,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: 3_600_000,
  compact: false,
  delete: true,
  compressionType: 'producer',
  deleteRetentionMs: DAY_MS,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  minCleanableDirtyRatio: 0.5,
  fileDeleteDelayMs: 60_000,
  producerIdExpirationMs: DAY_MS,
  verifyTransactions: false,
}
