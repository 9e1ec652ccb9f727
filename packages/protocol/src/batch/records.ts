// Records out of a batch, one at a time: decompressed if need be, checked as a whole first, so that iterating cannot fail.
import { decompress as decompressAny } from '../compression/index.ts'
import type { BatchProblem } from './check-batch.ts'
import { BATCH_HEADER_SIZE, NO_TIMESTAMP, RecordBatch, type CodecId } from './record-batch.ts'
import { RecordCursor } from './record-cursor.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** Keys and values share memory with the (decompressed) batch. */
export interface DecodedRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** May throw on rubbish: callers in this folder turn that into a BatchProblem. Never called for codec 0. */
export type Decompress = (codec: CodecId, bytes: Uint8Array, limitBytes: number) => Uint8Array

/** A bomb of more than this is refused. Kafka's largest sensible request is 100 MiB. */
export const DEFAULT_DECOMPRESS_LIMIT = 256 * 1024 * 1024

const NO_HEADERS: readonly RecordHeader[] = []
const TEXT = new TextDecoder()

/** A cursor over the records of a batch whose header has been checked; for a compressed one, over the decompressed bytes. */
export function recordCursor(
  batch: RecordBatch,
  decompress: Decompress = decompressAny,
  limitBytes = DEFAULT_DECOMPRESS_LIMIT,
): RecordCursor | BatchProblem {
  // The cleaner leaves batches without a record, and then there is nothing to decompress, whatever the codec.
  if (batch.codec === 0 || batch.recordCount === 0)
    return new RecordCursor(batch.bytes, batch.at + BATCH_HEADER_SIZE, batch.at + batch.sizeInBytes, batch.recordCount)
  try {
    const plain = decompress(batch.codec, batch.recordBytes(), limitBytes)
    return new RecordCursor(plain, 0, plain.length, batch.recordCount)
  } catch (error) {
    return { kind: 'corrupt', message: `records do not decompress: ${(error as Error).message}` }
  }
}

/** The records of a batch, made one by one as they are asked for, or why there are none. */
export function decodeRecords(
  batch: RecordBatch,
  decompress: Decompress = decompressAny,
  limitBytes = DEFAULT_DECOMPRESS_LIMIT,
): Iterable<DecodedRecord> | BatchProblem {
  const cursor = recordCursor(batch, decompress, limitBytes)
  if (!(cursor instanceof RecordCursor)) return cursor
  const { bytes, end: from } = cursor
  while (cursor.next()) {}
  if (cursor.problem !== undefined) return { kind: 'corrupt', message: cursor.problem }
  const to = cursor.end
  return { [Symbol.iterator]: () => iterate(batch, new RecordCursor(bytes, from, to, batch.recordCount)) }
}

export function isBatchProblem(value: object): value is BatchProblem {
  return 'kind' in value && 'message' in value
}

function* iterate(batch: RecordBatch, cursor: RecordCursor): Generator<DecodedRecord> {
  const { baseOffset } = batch
  while (cursor.next()) {
    yield {
      offset: baseOffset + cursor.offsetDelta,
      timestamp: recordTimestamp(batch, cursor),
      key: field(cursor.bytes, cursor.keyAt, cursor.keyLength),
      value: field(cursor.bytes, cursor.valueAt, cursor.valueLength),
      headers: cursor.headerCount === 0 ? NO_HEADERS : decodeHeaders(cursor),
    }
  }
}

/** With LogAppendTime all records carry the batch's time. */
export function recordTimestamp(batch: RecordBatch, cursor: RecordCursor): number {
  if (batch.timestampType === 'LogAppendTime') return batch.maxTimestamp
  const base = batch.baseTimestamp
  return base === NO_TIMESTAMP && cursor.timestampDelta === 0 ? NO_TIMESTAMP : base + cursor.timestampDelta
}

export function decodeHeaders(cursor: RecordCursor): RecordHeader[] {
  const headers: RecordHeader[] = []
  cursor.headers((keyAt, keyLength, valueAt, valueLength) => {
    const key = TEXT.decode(cursor.bytes.subarray(keyAt, keyAt + keyLength))
    headers.push({ key, value: field(cursor.bytes, valueAt, valueLength) })
  })
  return headers
}

function field(bytes: Uint8Array, at: number, length: number): Uint8Array | null {
  return length < 0 ? null : bytes.subarray(at, at + length)
}
