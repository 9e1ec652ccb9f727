// Which segments retention lets go: the oldest ones, by time, by size, or because the log starts after them.
import type { LogConfig } from './log-config.ts'
import type { Segment } from './segment.ts'

export interface LogBounds {
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
}

/** How many segments, from the first on, may be removed. An empty active segment never is. */
export function countExpired(segments: readonly Segment[], config: LogConfig, bounds: LogBounds, now: number): number {
  let excess = config.delete && config.retentionBytes >= 0 ? total(segments) - config.retentionBytes : Number.NEGATIVE_INFINITY
  let count = 0
  for (const [i, segment] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset ?? bounds.logEndOffset
    const active = i + 1 === segments.length
    if (end > bounds.highWatermark || (active && segment.size === 0)) break
    const passed = !active && end <= bounds.logStartOffset
    const old = config.delete && config.retentionMs >= 0 && now - segment.largestTimestamp > config.retentionMs
    if (!passed && !old && excess < segment.size) break
    excess -= segment.size
    count++
  }
  return count
}

function total(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.size, 0)
}
