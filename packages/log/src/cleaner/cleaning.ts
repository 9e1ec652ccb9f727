// One pass of the cleaner over one log, in slices: first the last offset of every key in the dirty part is learned, then all segments
// up to there are written anew, a group of small ones into one.
import { RecordBatch, RecordCursor, isBatchProblem, recordCursor } from '@faultline/protocol'
import type { LogConfig } from '../log-config.ts'
import type { ProducerEntry } from '../producer-entry.ts'
import { MAX_RELATIVE_OFFSET, type Segment } from '../segment.ts'
import type { AbortedTransaction } from '../transaction-index.ts'
import { cleanBatch, type CleaningRules } from './clean-batch.ts'
import { OffsetMap } from './offset-map.ts'
import { TransactionFilter } from './transaction-filter.ts'

/** Bytes of records looked at between two yields: a few milliseconds of work. */
const SLICE_BYTES = 128 * 1024

/** What a pass needs of the log. */
export interface CleanedLog {
  readonly config: LogConfig
  /** All sealed segments below the first offset that may not be cleaned. */
  readonly segments: readonly Segment[]
  readonly firstDirtyOffset: number
  readonly firstUncleanableOffset: number
  abortedIn(from: number, to: number): AbortedTransaction[]
  producer(producerId: number): ProducerEntry | undefined
  /** An empty segment whose file is not yet part of the log. */
  newSegment(baseOffset: number): Segment
  /** Puts the last new segment in the place of `originals`. */
  replace(originals: readonly Segment[]): void
}

/** Offset up to which the log is clean afterwards, or why it cannot be cleaned. */
export type CleaningResult = { readonly cleanedTo: number } | { readonly problem: string }

/** After a slice. Void: the log was cut, closed or taken offline meanwhile. */
export type CleaningStep = 'more' | 'cleaned' | 'problem' | 'void'

/** Yields between slices. The caller stops asking when the log was truncated or lost segments meanwhile. */
export function* cleanLog(log: CleanedLog, now: number, mapLimitBytes: number): Generator<undefined, CleaningResult> {
  const map = new OffsetMap(mapLimitBytes)
  const problem = yield* fillMap(log, map)
  if (problem !== undefined) return { problem }
  const cleanedTo = map.latestOffset + 1
  const rules: CleaningRules = {
    now,
    deleteRetentionMs: log.config.deleteRetentionMs,
    map,
    transactions: new TransactionFilter(log.abortedIn(0, log.firstUncleanableOffset)),
    producer: (producerId) => log.producer(producerId),
  }
  for (const group of groupSegments(log, cleanedTo)) {
    const problem = yield* cleanGroup(log, group, rules)
    if (problem !== undefined) return { problem }
  }
  return { cleanedTo }
}

function* fillMap(log: CleanedLog, map: OffsetMap): Generator<undefined, string | undefined> {
  const { firstDirtyOffset, firstUncleanableOffset } = log
  const transactions = new TransactionFilter(log.abortedIn(firstDirtyOffset, firstUncleanableOffset))
  map.latestOffset = firstDirtyOffset - 1
  for (const [i, segment] of log.segments.entries()) {
    const end = log.segments[i + 1]?.baseOffset ?? firstUncleanableOffset
    if (end <= firstDirtyOffset) continue
    for (let next = Math.max(segment.baseOffset, firstDirtyOffset); ;) {
      const read = segment.read(next, SLICE_BYTES, end, true)
      if (read === 'corrupt') return `no batch at offset ${next}`
      if (read === undefined) break
      for (const batch of batchesOf(read.bytes)) {
        if (map.isFull) return undefined
        const problem = noteKeys(batch, map, transactions, firstDirtyOffset)
        if (problem !== undefined) return problem
      }
      next = read.nextOffset
      yield
    }
    map.latestOffset = Math.max(map.latestOffset, end - 1)
  }
  return undefined
}

function noteKeys(batch: RecordBatch, map: OffsetMap, transactions: TransactionFilter, from: number): string | undefined {
  if (!batch.isControl && !transactions.isAborted(batch)) {
    const cursor = recordCursor(batch)
    if (isBatchProblem(cursor)) return cursor.message
    const problem = noteRecordKeys(batch.baseOffset, cursor, map, from)
    if (problem !== undefined) return problem
  }
  map.latestOffset = Math.max(map.latestOffset, batch.lastOffset)
  return undefined
}

function noteRecordKeys(baseOffset: number, cursor: RecordCursor, map: OffsetMap, from: number): string | undefined {
  while (cursor.next()) {
    const offset = baseOffset + cursor.offsetDelta
    if (cursor.keyLength < 0 || offset < from) continue
    map.put(cursor.bytes.subarray(cursor.keyAt, cursor.keyAt + cursor.keyLength), offset)
  }
  return cursor.problem
}

function* cleanGroup(log: CleanedLog, group: readonly Segment[], rules: CleaningRules): Generator<undefined, string | undefined> {
  const cleaned = log.newSegment(group[0]!.baseOffset)
  for (const segment of group) {
    for (let next = segment.baseOffset; ;) {
      const read = segment.read(next, SLICE_BYTES, Number.MAX_SAFE_INTEGER, true)
      if (read === 'corrupt') return `no batch at offset ${next}`
      if (read === undefined) break
      for (const batch of batchesOf(read.bytes)) {
        const left = cleanBatch(batch, rules)
        if (left === undefined) continue
        if (!(left instanceof Uint8Array)) return left.message
        cleaned.append(left)
      }
      next = read.nextOffset
      yield
    }
  }
  log.replace(group)
  return undefined
}

/** Neighbours below `cleanedTo` that fit into one segment together, by their bytes and by their offsets. */
function groupSegments({ segments, config, firstUncleanableOffset }: CleanedLog, cleanedTo: number): Segment[][] {
  const groups: Segment[][] = []
  let size = 0
  for (const [i, segment] of segments.entries()) {
    if (segment.baseOffset >= cleanedTo) break
    const end = segments[i + 1]?.baseOffset ?? firstUncleanableOffset
    const group = groups.at(-1)
    if (group !== undefined && size + segment.size <= config.segmentBytes && end - group[0]!.baseOffset <= MAX_RELATIVE_OFFSET) {
      group.push(segment)
      size += segment.size
    } else {
      groups.push([segment])
      size = segment.size
    }
  }
  return groups
}

function* batchesOf(bytes: Uint8Array): Generator<RecordBatch> {
  for (let at = 0; at < bytes.length;) {
    const batch = new RecordBatch(bytes, at)
    yield batch
    at += batch.sizeInBytes
  }
}
