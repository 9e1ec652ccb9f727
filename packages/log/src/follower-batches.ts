// What a follower takes of the bytes that its leader sent: whole batches with good checksums, in order, of epochs that it follows.
import { Errors, NO_TIMESTAMP, RecordBatch, batchSizeAt, checkBatch } from '@faultline/protocol'
import type { AppendRefusal } from './append-checks.ts'

export interface Accepted {
  readonly bytes: Uint8Array
  readonly lastOffset: number
  readonly maxTimestamp: number
}

/** The batches at the front of `bytes` that a follower may append. */
export function acceptFromLeader(bytes: Uint8Array, logEndOffset: number, epochLimit: number): Accepted | AppendRefusal {
  let next = logEndOffset
  let maxTimestamp = NO_TIMESTAMP
  let at = 0
  while (at < bytes.length) {
    const size = batchSizeAt(bytes, at)
    const problem = typeof size === 'number' ? checkBatch(bytes, at) : size
    if (problem !== undefined) return { error: Errors.CORRUPT_MESSAGE, message: `from the leader: ${problem.message}` }
    const batch = new RecordBatch(bytes, at)
    if (batch.baseOffset < next) {
      const message = `the leader sent offset ${batch.baseOffset} where ${next} was expected`
      return { error: Errors.OFFSET_OUT_OF_RANGE, message }
    }
    if (batch.partitionLeaderEpoch > epochLimit) break
    next = batch.nextOffset
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp)
    at += batch.sizeInBytes
  }
  return { bytes: bytes.subarray(0, at), lastOffset: next - 1, maxTimestamp }
}
