// Whether a log is worth cleaning, and which part of it may be cleaned.
import type { LogConfig } from '../log-config.ts'
import type { Segment } from '../segment.ts'

export interface Cleanable {
  /** Sealed, and below the first offset that may not be cleaned. */
  readonly segments: readonly Segment[]
  readonly firstDirtyOffset: number
  readonly firstUncleanableOffset: number
  /** Dirty bytes among all that may be cleaned. */
  readonly dirtyRatio: number
  /** Dirty enough, or so long that max.compaction.lag.ms is over. */
  readonly isDue: boolean
}

/** Records at `unstableOffset` and after are still part of a transaction, or not replicated. */
export function findCleanable(
  all: readonly Segment[],
  config: LogConfig,
  cleanedTo: number,
  unstableOffset: number,
  now: number,
): Cleanable | undefined {
  const ends = all.map((_segment, i) => all[i + 1]?.baseOffset ?? Number.POSITIVE_INFINITY)
  const isFixed = (segment: Segment, i: number) =>
    ends[i]! <= unstableOffset && !isTooYoung(segment, ends[i]!, config, cleanedTo, now)
  const firstUncleanable = all.findIndex((segment, i) => !isFixed(segment, i))
  const segments = all.slice(0, firstUncleanable)
  const firstUncleanableOffset = all[firstUncleanable]!.baseOffset
  const dirty = segments.filter((_segment, i) => ends[i]! > cleanedTo)
  if (dirty.length === 0) return undefined
  const bytes = (list: readonly Segment[]) => list.reduce((sum, segment) => sum + segment.size, 0)
  const dirtyRatio = bytes(dirty) / Math.max(1, bytes(segments))
  const oldest = Math.min(...dirty.map((segment) => segment.firstTimestamp).filter((timestamp) => timestamp >= 0))
  const isDue = dirtyRatio > config.minCleanableDirtyRatio || now - oldest > config.maxCompactionLagMs
  return { segments, firstDirtyOffset: cleanedTo, firstUncleanableOffset, dirtyRatio, isDue }
}

/** min.compaction.lag.ms: what is dirty and that young stays as it is for now. */
function isTooYoung(segment: Segment, end: number, config: LogConfig, cleanedTo: number, now: number): boolean {
  return config.minCompactionLagMs > 0 && end > cleanedTo && segment.largestTimestamp > now - config.minCompactionLagMs
}
