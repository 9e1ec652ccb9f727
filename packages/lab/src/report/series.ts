// What a report draws as lines: at most so many buckets, whatever the run's size.
import type { Evidence } from '../expectations/index.ts'

export interface Series {
  readonly bucketMs: number
  /** By bucket: acknowledged sends, and their times; -1 where there were none. */
  readonly acknowledged: readonly number[]
  readonly read: readonly number[]
  readonly p50: readonly number[]
  readonly p99: readonly number[]
  /** By group and bucket: the most that was there and not committed; -1 where nobody looked. */
  readonly lag: readonly { readonly group: string; readonly records: readonly number[] }[]
}

const BUCKETS = 600
const BUCKET_AT_LEAST_MS = 100

export function seriesOf({ history, groups }: Evidence, startedAt: number, durationMs: number): Series {
  const bucketMs = Math.max(BUCKET_AT_LEAST_MS, Math.ceil(durationMs / BUCKETS))
  const count = Math.ceil(durationMs / bucketMs)
  const bucketOf = (t: number) => Math.floor((t - startedAt) / bucketMs)
  const times: number[][] = Array.from({ length: count }, () => [])
  const read = Array.from({ length: count }, () => 0)
  for (const { ended, began } of history.acknowledged) times[bucketOf(ended!)]?.push(ended! - began)
  for (const { at } of history.reads) {
    const bucket = bucketOf(at)
    if (bucket >= 0 && bucket < count) read[bucket]!++
  }
  for (const bucket of times) bucket.sort((a, b) => a - b)
  const quantile = (q: number) => times.map((t) => t[Math.min(t.length - 1, Math.floor(t.length * q))] ?? -1)
  const lag = lagOf(groups, count, bucketOf)
  return { bucketMs, acknowledged: times.map((t) => t.length), read, p50: quantile(0.5), p99: quantile(0.99), lag }
}

function lagOf(groups: Evidence['groups'], count: number, bucketOf: (t: number) => number): Series['lag'] {
  const found = new Map<string, number[]>()
  for (const { group, at, positions } of groups) {
    const bucket = bucketOf(at)
    if (bucket < 0 || bucket >= count) continue
    const records = found.get(group) ?? Array.from({ length: count }, () => -1)
    found.set(group, records)
    const lag = positions.reduce((sum, { committed, end }) => sum + Math.max(0, (end ?? 0) - (committed ?? 0)), 0)
    records[bucket] = Math.max(records[bucket]!, lag)
  }
  return [...found].map(([group, records]) => ({ group, records }))
}
