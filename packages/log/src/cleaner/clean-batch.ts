// What is left of one batch after cleaning (Kafka's rules): the last record of each key; tombstones and markers for a while longer; of a
// producer's last batch at least the header, as it holds the sequence number.
import {
  ATTRIBUTE_CODEC,
  ATTRIBUTE_DELETE_HORIZON,
  buildBatch,
  decodeRecords,
  isBatchProblem,
  type BatchProblem,
  type DecodedRecord,
  type RecordBatch,
} from '@faultline/protocol'
import type { ProducerEntry } from '../producer-entry.ts'
import type { OffsetMap } from './offset-map.ts'
import type { TransactionFilter } from './transaction-filter.ts'

export interface CleaningRules {
  readonly now: number
  readonly deleteRetentionMs: number
  readonly map: OffsetMap
  readonly transactions: TransactionFilter
  producer(producerId: number): ProducerEntry | undefined
}

/** The batch as it stands, a smaller one, or undefined when nothing is left. */
export function cleanBatch(batch: RecordBatch, rules: CleaningRules): Uint8Array | undefined | BatchProblem {
  const marksNothing = batch.isControl && rules.transactions.marksNothing(batch)
  const discard = batch.isControl ? marksNothing && isPastHorizon(batch, rules.now) : rules.transactions.isAborted(batch)
  rules.transactions.note(batch)
  const records = discard ? [] : decodeRecords(batch)
  if (isBatchProblem(records)) return records
  const all = [...records]
  const kept = all.filter((record) => batch.isControl || isKept(record, batch, rules))
  if (kept.length === 0) return isLastOfProducer(batch, rules) ? rebuild(batch, [], undefined) : undefined
  const waits = marksNothing || (!batch.isControl && kept.some((record) => record.value === null))
  const horizon = waits && !batch.hasDeleteHorizon ? rules.now + rules.deleteRetentionMs : undefined
  if (kept.length === all.length && horizon === undefined) return batch.slice()
  return rebuild(batch, kept, horizon)
}

function isKept(record: DecodedRecord, batch: RecordBatch, rules: CleaningRules): boolean {
  if (record.offset > rules.map.latestOffset) return true
  if (record.key === null) return false
  if (record.offset < rules.map.get(record.key)) return false
  return record.value !== null || !isPastHorizon(batch, rules.now)
}

/** Tombstones and markers stay for delete.retention.ms after they were first cleaned, so that every reader may see them. */
function isPastHorizon(batch: RecordBatch, now: number): boolean {
  return batch.hasDeleteHorizon && batch.baseTimestamp <= now
}

function isLastOfProducer(batch: RecordBatch, rules: CleaningRules): boolean {
  const producer = batch.hasProducerId ? rules.producer(batch.producerId) : undefined
  if (producer === undefined) return false
  const lastBatch = producer.batches.at(-1)
  if (lastBatch !== undefined) return batch.lastOffset === lastBatch.lastOffset
  return batch.isControl && batch.producerEpoch === producer.epoch
}

/** The same batch with fewer records: offsets and sequence numbers stay what they were. */
function rebuild(batch: RecordBatch, kept: readonly DecodedRecord[], horizon: number | undefined): Uint8Array {
  const keepsHorizon = horizon !== undefined || (batch.hasDeleteHorizon && kept.length > 0)
  const baseTimestamp = horizon ?? (keepsHorizon ? batch.baseTimestamp : (kept[0]?.timestamp ?? batch.maxTimestamp))
  const records = kept.map((record) => ({ ...record, offsetDelta: record.offset - batch.baseOffset }))
  const attributes = batch.attributes & ~(ATTRIBUTE_CODEC | ATTRIBUTE_DELETE_HORIZON)
  return buildBatch(records, {
    baseOffset: batch.baseOffset,
    lastOffsetDelta: batch.lastOffsetDelta,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    attributes: attributes | (keepsHorizon ? ATTRIBUTE_DELETE_HORIZON : 0),
    codec: kept.length === 0 ? 0 : batch.codec,
    baseTimestamp,
    ...(batch.timestampType === 'LogAppendTime' || kept.length === 0 ? { maxTimestamp: batch.maxTimestamp } : {}),
  })
}
