// What a leader looks at before it appends a batch (kafka §3.3), as far as a log can tell. An answer each, in Kafka's order.
import {
  Errors,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  RecordBatch,
  RecordCursor,
  batchSizeAt,
  checkBatch,
  recordCursor,
  recordTimestamp,
  type ErrorCode,
} from '@faultline/protocol'
import type { LogConfig } from './log-config.ts'
import type { AppendOrigin } from './producer-states.ts'

export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

export type RefusalCode = Exclude<ErrorCode, 0>

export interface AppendRefusal {
  readonly error: RefusalCode
  readonly message: string
  readonly recordErrors?: readonly RecordError[]
}

/** A client is told of this many bad records, not of a million. */
const MAX_RECORD_ERRORS = 100

/** Structure, size and checksum; then the fields. Undefined when all is well. */
export function checkAppendedBatch(bytes: Uint8Array, origin: AppendOrigin, config: LogConfig): AppendRefusal | undefined {
  const size = batchSizeAt(bytes, 0)
  if (typeof size !== 'number') return { error: Errors.CORRUPT_MESSAGE, message: size.message }
  if (size < bytes.length) return invalid(`${bytes.length - size} bytes after the batch: one batch a partition may be produced`)
  const batch = new RecordBatch(bytes)
  if (origin === 'client' && batch.magic === 2 && batch.baseOffset !== 0)
    return invalid(`the base offset of a produced batch is ${batch.baseOffset}, not 0`)
  if (size > config.maxMessageBytes)
    return {
      error: Errors.MESSAGE_TOO_LARGE,
      message: `a batch of ${size} bytes is over max.message.bytes, ${config.maxMessageBytes}`,
    }
  const problem = checkBatch(bytes)
  if (problem?.kind === 'corrupt') return { error: Errors.CORRUPT_MESSAGE, message: problem.message }
  if (problem !== undefined) return invalid(problem.message)
  return checkFields(batch, origin)
}

function checkFields(batch: RecordBatch, origin: AppendOrigin): AppendRefusal | undefined {
  const { recordCount, lastOffsetDelta, producerId, baseSequence } = batch
  if (recordCount <= 0) return invalid('a batch without records')
  if (recordCount !== lastOffsetDelta + 1) return invalid(`${recordCount} records, but offsets for ${lastOffsetDelta + 1}`)
  if (origin === 'coordinator') return undefined
  if (batch.isControl) return invalid('clients may not write control records')
  if (producerId !== NO_PRODUCER_ID && baseSequence < 0) return invalid(`producer ${producerId} wrote without a sequence number`)
  return undefined
}

/** What the walk over the records found. */
export interface RecordsFound {
  /** Undefined when the records were not looked at. */
  readonly maxTimestamp: number | undefined
  /** Whether offset deltas are 0, 1, 2 …: else the batch must be built anew. */
  readonly offsetsInOrder: boolean
}

/**
 * The records one by one: their structure, a key in each if the topic is compacted, and a time that is near enough. Compressed records
 * are only looked at where keys matter; else the batch's own times stand for theirs.
 */
export function checkRecords(batch: RecordBatch, config: LogConfig, now: number): RecordsFound | AppendRefusal {
  if (batch.timestampType === 'LogAppendTime')
    return { error: Errors.INVALID_TIMESTAMP, message: 'a produced batch must not carry log append time' }
  const needKeys = config.compact && !batch.isControl
  if (batch.codec !== 0 && !needKeys) return checkBatchTimes(batch, config, now)
  const cursor = recordCursor(batch)
  if (!(cursor instanceof RecordCursor)) return { error: Errors.CORRUPT_MESSAGE, message: cursor.message }
  return walkRecords(batch, cursor, needKeys, config, now)
}

function checkBatchTimes(batch: RecordBatch, config: LogConfig, now: number): RecordsFound | AppendRefusal {
  for (const timestamp of [batch.baseTimestamp, batch.maxTimestamp]) {
    const message = timestampProblem(timestamp, config, now)
    if (message !== undefined) return { error: Errors.INVALID_TIMESTAMP, message, recordErrors: [{ batchIndex: 0, message }] }
  }
  return { maxTimestamp: undefined, offsetsInOrder: true }
}

function walkRecords(
  batch: RecordBatch,
  cursor: RecordCursor,
  needKeys: boolean,
  config: LogConfig,
  now: number,
): RecordsFound | AppendRefusal {
  const checkTimes = config.timestampType === 'CreateTime' && !batch.isControl
  const { baseTimestamp } = batch
  const earliest = now - config.timestampBeforeMaxMs
  const latest = now + config.timestampAfterMaxMs
  const errors: RecordError[] = []
  let badTimes = false
  let maxTimestamp = NO_TIMESTAMP
  let offsetsInOrder = true
  for (let index = 0; cursor.next(); index++) {
    const timestamp = baseTimestamp + cursor.timestampDelta
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if (cursor.offsetDelta !== index) offsetsInOrder = false
    if (needKeys && cursor.keyLength < 0) note(errors, index, NO_KEY)
    if (checkTimes && (timestamp < earliest || timestamp > latest)) {
      const message = timestampProblem(recordTimestamp(batch, cursor), config, now)
      if (message !== undefined) {
        badTimes = true
        note(errors, index, message)
      }
    }
  }
  if (cursor.problem !== undefined) return invalid(cursor.problem)
  if (errors.length === 0) return { maxTimestamp, offsetsInOrder }
  const error = badTimes ? Errors.INVALID_TIMESTAMP : Errors.INVALID_RECORD
  return { error, message: 'One or more records have been rejected', recordErrors: errors }
}

const NO_KEY = 'a record without a key in a compacted topic'

function note(errors: RecordError[], batchIndex: number, message: string): void {
  if (errors.length < MAX_RECORD_ERRORS) errors.push({ batchIndex, message })
}

function timestampProblem(timestamp: number, config: LogConfig, now: number): string | undefined {
  if (timestamp === NO_TIMESTAMP || config.timestampType !== 'CreateTime') return undefined
  if (timestamp < now - config.timestampBeforeMaxMs)
    return `timestamp ${timestamp} is more than ${config.timestampBeforeMaxMs} ms before now, ${now}`
  if (timestamp > now + config.timestampAfterMaxMs)
    return `timestamp ${timestamp} is more than ${config.timestampAfterMaxMs} ms after now, ${now}`
  return undefined
}

export function isRefusal(value: object): value is AppendRefusal {
  return 'error' in value
}

function invalid(message: string): AppendRefusal {
  return { error: Errors.INVALID_RECORD, message }
}

/** For a batch that grew when it was compressed anew. */
export function checkRebuiltSize(bytes: Uint8Array, config: LogConfig): AppendRefusal | undefined {
  if (bytes.length <= config.maxMessageBytes) return undefined
  const message = `after recompression the batch has ${bytes.length} bytes, over max.message.bytes, ${config.maxMessageBytes}`
  return { error: Errors.MESSAGE_TOO_LARGE, message }
}

export function checkSegmentSize(bytes: Uint8Array, config: LogConfig): AppendRefusal | undefined {
  if (bytes.length <= config.segmentBytes) return undefined
  const message = `a batch of ${bytes.length} bytes is over segment.bytes, ${config.segmentBytes}`
  return { error: Errors.RECORD_LIST_TOO_LARGE, message }
}
