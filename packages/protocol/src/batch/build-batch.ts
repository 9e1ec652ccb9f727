// Builds a record batch from records. Two passes, one allocation: sizes first, then the bytes.
import { compress as compressAny } from '../compression/index.ts'
import { varintSize, writeVarint } from './integers.ts'
import {
  ATTRIBUTE_CONTROL,
  ATTRIBUTE_LOG_APPEND_TIME,
  ATTRIBUTE_TRANSACTIONAL,
  BATCH_HEADER_SIZE,
  NO_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  writeBatchHeader,
  type CodecId,
} from './record-batch.ts'

export interface RecordToWrite {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  /** Distance from the batch's base offset. Given when records are missing between, as after compaction; else 0, 1, 2 … */
  readonly offsetDelta?: number
}

export type Compress = (codec: CodecId, bytes: Uint8Array) => Uint8Array

export interface BatchOptions {
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /** Marks the batch LogAppendTime, with this time. */
  readonly logAppendTime?: number
  /** Any further attribute bits. */
  readonly attributes?: number
  /** More than the records need, where trailing ones were compacted away. */
  readonly lastOffsetDelta?: number
  /** The first record's time if not given. */
  readonly baseTimestamp?: number
  readonly maxTimestamp?: number
  readonly codec?: CodecId
  /** In place of the usual one. */
  readonly compress?: Compress
}

const TEXT = new TextEncoder()

export function buildBatch(records: readonly RecordToWrite[], options: BatchOptions = {}): Uint8Array {
  const baseTimestamp = options.baseTimestamp ?? records[0]?.timestamp ?? NO_TIMESTAMP
  const headerKeys = records.map((record) => record.headers?.map((header) => TEXT.encode(header.key)) ?? [])
  const sizes = records.map((record, i) => bodySize(record, offsetDelta(record, i), baseTimestamp, headerKeys[i]!))
  const plainSize = sizes.reduce((sum, size) => sum + varintSize(size) + size, 0)
  const plain = new Uint8Array(BATCH_HEADER_SIZE + plainSize)
  let at = BATCH_HEADER_SIZE
  for (let i = 0; i < records.length; i++) {
    at = writeVarint(plain, at, sizes[i]!)
    at = writeBody(plain, at, records[i]!, offsetDelta(records[i]!, i), baseTimestamp, headerKeys[i]!)
  }
  const bytes = compressed(plain, options)
  const lastDelta = records.length === 0 ? 0 : offsetDelta(records[records.length - 1]!, records.length - 1)
  writeBatchHeader(bytes, {
    baseOffset: options.baseOffset ?? 0,
    partitionLeaderEpoch: options.partitionLeaderEpoch ?? NO_LEADER_EPOCH,
    attributes: attributesOf(options),
    lastOffsetDelta: options.lastOffsetDelta ?? lastDelta,
    baseTimestamp,
    maxTimestamp: options.logAppendTime ?? options.maxTimestamp ?? maxTimestampOf(records),
    producerId: options.producerId ?? NO_PRODUCER_ID,
    producerEpoch: options.producerEpoch ?? NO_PRODUCER_EPOCH,
    baseSequence: options.baseSequence ?? NO_SEQUENCE,
    recordCount: records.length,
  })
  return bytes
}

function compressed(plain: Uint8Array, options: BatchOptions): Uint8Array {
  if (!options.codec) return plain
  const compress = options.compress ?? compressAny
  const records = compress(options.codec, plain.subarray(BATCH_HEADER_SIZE))
  const bytes = new Uint8Array(BATCH_HEADER_SIZE + records.length)
  bytes.set(records, BATCH_HEADER_SIZE)
  return bytes
}

function attributesOf(options: BatchOptions): number {
  let attributes = (options.attributes ?? 0) | (options.codec ?? 0)
  if (options.logAppendTime !== undefined) attributes |= ATTRIBUTE_LOG_APPEND_TIME
  if (options.transactional) attributes |= ATTRIBUTE_TRANSACTIONAL
  if (options.control) attributes |= ATTRIBUTE_CONTROL
  return attributes
}

function maxTimestampOf(records: readonly RecordToWrite[]): number {
  return records.reduce((max, record) => Math.max(max, record.timestamp), NO_TIMESTAMP)
}

function offsetDelta(record: RecordToWrite, index: number): number {
  return record.offsetDelta ?? index
}

function bodySize(record: RecordToWrite, delta: number, baseTimestamp: number, headerKeys: readonly Uint8Array[]): number {
  const headers = record.headers ?? []
  let size = 1 + varintSize(record.timestamp - baseTimestamp) + varintSize(delta)
  size += fieldSize(record.key) + fieldSize(record.value) + varintSize(headers.length)
  for (let i = 0; i < headers.length; i++) size += fieldSize(headerKeys[i]!) + fieldSize(headers[i]!.value)
  return size
}

function fieldSize(field: Uint8Array | null): number {
  return field === null ? 1 : varintSize(field.length) + field.length
}

function writeBody(
  bytes: Uint8Array,
  start: number,
  record: RecordToWrite,
  delta: number,
  baseTimestamp: number,
  headerKeys: readonly Uint8Array[],
): number {
  const headers = record.headers ?? []
  let at = start
  bytes[at++] = 0 // attributes, none assigned
  at = writeVarint(bytes, at, record.timestamp - baseTimestamp)
  at = writeVarint(bytes, at, delta)
  at = writeField(bytes, at, record.key)
  at = writeField(bytes, at, record.value)
  at = writeVarint(bytes, at, headers.length)
  for (let i = 0; i < headers.length; i++) {
    at = writeField(bytes, at, headerKeys[i]!)
    at = writeField(bytes, at, headers[i]!.value)
  }
  return at
}

function writeField(bytes: Uint8Array, start: number, field: Uint8Array | null): number {
  if (field === null) return writeVarint(bytes, start, -1)
  const at = writeVarint(bytes, start, field.length)
  bytes.set(field, at)
  return at + field.length
}
