// Whether bytes from outside are a record batch: size, magic, counts, integers that fit, CRC. An answer, never a throw.
import { BATCH_HEADER_SIZE, LOG_OVERHEAD, MAGIC, RecordBatch } from './record-batch.ts'
import { readInt32 } from './integers.ts'

export type BatchProblemKind =
  /** The batch, or its header, goes on beyond the end of the bytes. */
  | 'truncated'
  /** Not what it should be, by length or checksum. */
  | 'corrupt'
  /** Not magic 2. */
  | 'magic'
  /** Whole and with a good checksum, but its fields contradict each other. */
  | 'invalid'

export interface BatchProblem {
  readonly kind: BatchProblemKind
  readonly message: string
}

/** Size of the batch at `at`, or why there is none. Looks at the first 12 bytes only. */
export function batchSizeAt(bytes: Uint8Array, at: number): number | BatchProblem {
  const left = bytes.length - at
  if (left < LOG_OVERHEAD) return { kind: 'truncated', message: `${left} bytes left where a batch should begin` }
  const size = LOG_OVERHEAD + readInt32(bytes, at + 8)
  if (size < BATCH_HEADER_SIZE) return { kind: 'corrupt', message: `batch length ${size - LOG_OVERHEAD} is less than a header` }
  if (size > left) return { kind: 'truncated', message: `batch of ${size} bytes, but only ${left} are there` }
  return size
}

/**
 * Structure of the batch at `at`: a whole one, of magic 2, whose CRC holds and whose numbers are in range. The CRC is looked at before
 * the other fields, as damage must not be taken for a bad request.
 */
export function checkBatch(bytes: Uint8Array, at = 0): BatchProblem | undefined {
  const size = batchSizeAt(bytes, at)
  if (typeof size !== 'number') return size
  const batch = new RecordBatch(bytes, at)
  if (batch.magic !== MAGIC) return { kind: 'magic', message: `magic ${batch.magic}, only 2 is supported` }
  const crc = batch.computeCrc()
  if (crc !== batch.crc) return { kind: 'corrupt', message: `checksum is ${hex(batch.crc)} but the bytes give ${hex(crc)}` }
  return checkFields(batch)
}

function checkFields(batch: RecordBatch): BatchProblem | undefined {
  const { baseOffset, lastOffsetDelta, recordCount, codec } = batch
  if (!Number.isSafeInteger(baseOffset) || baseOffset < 0) return invalid(`base offset ${baseOffset}`)
  if (lastOffsetDelta < 0) return invalid(`last offset delta ${lastOffsetDelta}`)
  if (!Number.isSafeInteger(baseOffset + lastOffsetDelta)) return invalid(`last offset ${baseOffset + lastOffsetDelta}`)
  if (recordCount < 0 || recordCount > lastOffsetDelta + 1)
    return invalid(`${recordCount} records in a batch of ${lastOffsetDelta + 1} offsets`)
  if (codec > 4) return invalid(`unknown compression codec ${codec}`)
  if (!Number.isSafeInteger(batch.baseTimestamp)) return invalid(`base timestamp ${batch.baseTimestamp}`)
  if (!Number.isSafeInteger(batch.maxTimestamp)) return invalid(`max timestamp ${batch.maxTimestamp}`)
  if (!Number.isSafeInteger(batch.producerId)) return invalid(`producer id ${batch.producerId}`)
  return undefined
}

function invalid(message: string): BatchProblem {
  return { kind: 'invalid', message }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}
