// Which record answers "the first at or after this time", and which is the latest: ListOffsets by timestamp.
import { RecordCursor, recordCursor, recordTimestamp, type RecordBatch } from '@faultline/protocol'
import type { Segments } from './segments.ts'

export interface TimestampedOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** The first record from `fromOffset` on whose timestamp is `timestamp` or later. */
export function findOffsetByTimestamp(segments: Segments, timestamp: number, fromOffset: number): TimestampedOffset | undefined {
  let answer: TimestampedOffset | undefined
  for (const segment of segments.from(fromOffset)) {
    if (segment.largest.timestamp < timestamp) continue
    segment.findTimestamp(timestamp, fromOffset, (batch) => {
      answer = firstInBatch(batch, timestamp, fromOffset)
      return answer === undefined
    })
    if (answer !== undefined) return answer
  }
  return undefined
}

/** The first record that has the largest timestamp of all. */
export function findMaxTimestamp(segments: Segments, fromOffset: number): TimestampedOffset | undefined {
  const candidates = segments.from(fromOffset).filter((segment) => segment.largest.timestamp >= 0)
  if (candidates.length === 0) return undefined
  const best = candidates.reduce((a, b) => (b.largest.timestamp > a.largest.timestamp ? b : a))
  return findOffsetByTimestamp(segments, best.largest.timestamp, fromOffset)
}

function firstInBatch(batch: RecordBatch, timestamp: number, fromOffset: number): TimestampedOffset | undefined {
  const { baseOffset, partitionLeaderEpoch: leaderEpoch } = batch
  if (batch.lastOffset < fromOffset) return undefined
  const cursor = recordCursor(batch)
  // What does not decompress is still there: the batch itself answers for its records.
  if (!(cursor instanceof RecordCursor)) return { offset: baseOffset, timestamp: batch.maxTimestamp, leaderEpoch }
  while (cursor.next()) {
    const offset = baseOffset + cursor.offsetDelta
    const found = recordTimestamp(batch, cursor)
    if (offset >= fromOffset && found >= timestamp) return { offset, timestamp: found, leaderEpoch }
  }
  return undefined
}
