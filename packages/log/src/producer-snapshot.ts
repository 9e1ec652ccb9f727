// The .snapshot file: producer state as of an offset, in Kafka's format (version 1, a CRC32C, then an entry for each producer).
// Of the remembered batches only the last is kept.
import { NO_SEQUENCE, crc32c } from '@faultline/protocol'
import { ProducerEntry } from './producer-entry.ts'

const VERSION = 1
const CRC_AT = 2
const COUNT_AT = 6
const HEADER_BYTES = 10
const ENTRY_BYTES = 46

export function encodeProducerSnapshot(producers: readonly ProducerEntry[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + producers.length * ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, VERSION)
  view.setInt32(COUNT_AT, producers.length)
  producers.forEach((producer, i) => encodeEntry(view, HEADER_BYTES + i * ENTRY_BYTES, producer))
  view.setUint32(CRC_AT, crc32c(bytes, COUNT_AT))
  return bytes
}

function encodeEntry(view: DataView, at: number, producer: ProducerEntry): void {
  const last = producer.batches.at(-1)
  view.setBigInt64(at, BigInt(producer.producerId))
  view.setInt16(at + 8, producer.epoch)
  view.setInt32(at + 10, producer.lastSequence)
  view.setBigInt64(at + 14, BigInt(last?.lastOffset ?? -1))
  view.setInt32(at + 22, last?.offsetDelta ?? 0)
  view.setBigInt64(at + 26, BigInt(producer.lastTimestamp))
  view.setInt32(at + 34, producer.coordinatorEpoch)
  view.setBigInt64(at + 38, BigInt(producer.transactionStart ?? -1))
}

/** Undefined when the bytes are not a whole snapshot. */
export function decodeProducerSnapshot(bytes: Uint8Array): ProducerEntry[] | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getInt16(0) !== VERSION || view.getUint32(CRC_AT) !== crc32c(bytes, COUNT_AT)) return undefined
  const count = view.getInt32(COUNT_AT)
  if (count < 0 || bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) return undefined
  return Array.from({ length: count }, (_, i) => decodeEntry(view, HEADER_BYTES + i * ENTRY_BYTES))
}

function decodeEntry(view: DataView, at: number): ProducerEntry {
  const producer = new ProducerEntry(Number(view.getBigInt64(at)))
  producer.epoch = view.getInt16(at + 8)
  const lastSequence = view.getInt32(at + 10)
  const lastOffset = Number(view.getBigInt64(at + 14))
  const timestamp = Number(view.getBigInt64(at + 26))
  if (lastSequence !== NO_SEQUENCE || lastOffset >= 0)
    producer.addBatch({ lastSequence, lastOffset, offsetDelta: view.getInt32(at + 22), timestamp })
  producer.lastTimestamp = timestamp
  producer.coordinatorEpoch = view.getInt32(at + 34)
  const transactionStart = Number(view.getBigInt64(at + 38))
  producer.transactionStart = transactionStart === -1 ? undefined : transactionStart
  return producer
}
