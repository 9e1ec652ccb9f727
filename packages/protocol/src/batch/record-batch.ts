// A view of one record batch (magic 2) where it lies in a larger array of bytes: fields are read and set in place, nothing is copied.
import { crc32c } from './crc32c.ts'
import { readInt16, readInt32, readInt64, readUint32, writeInt16, writeInt32, writeInt64 } from './integers.ts'

/** Bytes before the part that batchLength counts: baseOffset and batchLength themselves. */
export const LOG_OVERHEAD = 12
/** Bytes before the first record. */
export const BATCH_HEADER_SIZE = 61
export const MAGIC = 2

export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
export const NO_TIMESTAMP = -1
export const NO_LEADER_EPOCH = -1

const BATCH_LENGTH = 8
const LEADER_EPOCH = 12
const MAGIC_AT = 16
const CRC = 17
const ATTRIBUTES = 21
const LAST_OFFSET_DELTA = 23
const BASE_TIMESTAMP = 27
const MAX_TIMESTAMP = 35
const PRODUCER_ID = 43
const PRODUCER_EPOCH = 51
const BASE_SEQUENCE = 53
const RECORD_COUNT = 57

export const ATTRIBUTE_CODEC = 0x07
export const ATTRIBUTE_LOG_APPEND_TIME = 0x08
export const ATTRIBUTE_TRANSACTIONAL = 0x10
export const ATTRIBUTE_CONTROL = 0x20
export const ATTRIBUTE_DELETE_HORIZON = 0x40

export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; 5 to 7 are not assigned. */
export type CodecId = number

export class RecordBatch {
  readonly bytes: Uint8Array
  /** Where the batch begins in `bytes`. */
  readonly at: number

  /** The caller has made sure that a whole header is there; `checkBatch` does so for bytes from outside. */
  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get baseOffset(): number {
    return readInt64(this.bytes, this.at)
  }

  /** Bytes after this field. */
  get batchLength(): number {
    return readInt32(this.bytes, this.at + BATCH_LENGTH)
  }

  get sizeInBytes(): number {
    return LOG_OVERHEAD + this.batchLength
  }

  get partitionLeaderEpoch(): number {
    return readInt32(this.bytes, this.at + LEADER_EPOCH)
  }

  get magic(): number {
    return (this.bytes[this.at + MAGIC_AT]! << 24) >> 24
  }

  get crc(): number {
    return readUint32(this.bytes, this.at + CRC)
  }

  get attributes(): number {
    return readInt16(this.bytes, this.at + ATTRIBUTES)
  }

  get lastOffsetDelta(): number {
    return readInt32(this.bytes, this.at + LAST_OFFSET_DELTA)
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  get nextOffset(): number {
    return this.lastOffset + 1
  }

  /** What the timestamp deltas count from. With `hasDeleteHorizon` this field holds the horizon, and deltas still count from it. */
  get baseTimestamp(): number {
    return readInt64(this.bytes, this.at + BASE_TIMESTAMP)
  }

  get maxTimestamp(): number {
    return readInt64(this.bytes, this.at + MAX_TIMESTAMP)
  }

  get producerId(): number {
    return readInt64(this.bytes, this.at + PRODUCER_ID)
  }

  get producerEpoch(): number {
    return readInt16(this.bytes, this.at + PRODUCER_EPOCH)
  }

  get baseSequence(): number {
    return readInt32(this.bytes, this.at + BASE_SEQUENCE)
  }

  /** After 2147483647 comes 0. */
  get lastSequence(): number {
    const first = this.baseSequence
    return first === NO_SEQUENCE ? NO_SEQUENCE : addSequence(first, this.lastOffsetDelta)
  }

  get recordCount(): number {
    return readInt32(this.bytes, this.at + RECORD_COUNT)
  }

  get codec(): CodecId {
    return this.bytes[this.at + ATTRIBUTES + 1]! & ATTRIBUTE_CODEC
  }

  get timestampType(): TimestampType {
    return this.bytes[this.at + ATTRIBUTES + 1]! & ATTRIBUTE_LOG_APPEND_TIME ? 'LogAppendTime' : 'CreateTime'
  }

  get isTransactional(): boolean {
    return (this.bytes[this.at + ATTRIBUTES + 1]! & ATTRIBUTE_TRANSACTIONAL) !== 0
  }

  get isControl(): boolean {
    return (this.bytes[this.at + ATTRIBUTES + 1]! & ATTRIBUTE_CONTROL) !== 0
  }

  get hasDeleteHorizon(): boolean {
    return (this.bytes[this.at + ATTRIBUTES + 1]! & ATTRIBUTE_DELETE_HORIZON) !== 0
  }

  get hasProducerId(): boolean {
    return this.producerId !== NO_PRODUCER_ID
  }

  /** The batch alone, sharing memory. */
  slice(): Uint8Array {
    return this.bytes.subarray(this.at, this.at + this.sizeInBytes)
  }

  /** The records, compressed as they stand, sharing memory. */
  recordBytes(): Uint8Array {
    return this.bytes.subarray(this.at + BATCH_HEADER_SIZE, this.at + this.sizeInBytes)
  }

  /** Not covered by the CRC. */
  setBaseOffset(offset: number): void {
    writeInt64(this.bytes, this.at, offset)
  }

  /** Not covered by the CRC. */
  setPartitionLeaderEpoch(epoch: number): void {
    writeInt32(this.bytes, this.at + LEADER_EPOCH, epoch)
  }

  /** Marks the batch LogAppendTime with `timestamp` for all its records, and computes the CRC anew. */
  setLogAppendTime(timestamp: number): void {
    writeInt16(this.bytes, this.at + ATTRIBUTES, this.attributes | ATTRIBUTE_LOG_APPEND_TIME)
    this.setMaxTimestamp(timestamp)
  }

  /** Computes the CRC anew. */
  setMaxTimestamp(timestamp: number): void {
    writeInt64(this.bytes, this.at + MAX_TIMESTAMP, timestamp)
    this.updateCrc()
  }

  computeCrc(): number {
    return crc32c(this.bytes, this.at + ATTRIBUTES, this.at + this.sizeInBytes)
  }

  updateCrc(): void {
    writeInt32(this.bytes, this.at + CRC, this.computeCrc())
  }
}

/** Fields of a batch header that a writer chooses; the rest follows from the records. */
export interface BatchHeaderFields {
  baseOffset: number
  partitionLeaderEpoch: number
  attributes: number
  lastOffsetDelta: number
  baseTimestamp: number
  maxTimestamp: number
  producerId: number
  producerEpoch: number
  baseSequence: number
  recordCount: number
}

/** Writes the header of a batch that fills `bytes`; the records must already lie behind it, for the CRC. */
export function writeBatchHeader(bytes: Uint8Array, fields: BatchHeaderFields): void {
  writeInt64(bytes, 0, fields.baseOffset)
  writeInt32(bytes, BATCH_LENGTH, bytes.length - LOG_OVERHEAD)
  writeInt32(bytes, LEADER_EPOCH, fields.partitionLeaderEpoch)
  bytes[MAGIC_AT] = MAGIC
  writeInt16(bytes, ATTRIBUTES, fields.attributes)
  writeInt32(bytes, LAST_OFFSET_DELTA, fields.lastOffsetDelta)
  writeInt64(bytes, BASE_TIMESTAMP, fields.baseTimestamp)
  writeInt64(bytes, MAX_TIMESTAMP, fields.maxTimestamp)
  writeInt64(bytes, PRODUCER_ID, fields.producerId)
  writeInt16(bytes, PRODUCER_EPOCH, fields.producerEpoch)
  writeInt32(bytes, BASE_SEQUENCE, fields.baseSequence)
  writeInt32(bytes, RECORD_COUNT, fields.recordCount)
  new RecordBatch(bytes).updateCrc()
}

/** `sequence + increment` in the ring 0 … 2147483647. */
export function addSequence(sequence: number, increment: number): number {
  const sum = sequence + increment
  return sum > 0x7fff_ffff ? sum - 0x8000_0000 : sum
}

/** `sequence − decrement` in the same ring. */
export function subtractSequence(sequence: number, decrement: number): number {
  const difference = sequence - decrement
  return difference < 0 ? difference + 0x8000_0000 : difference
}
