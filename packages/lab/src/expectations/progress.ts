// No partition that a group reads stands still for longer while there is something to read.
import type { GroupSample } from '../run/group-watch.ts'
import { type Expectation, seconds } from './expectation.ts'

export const progress: Expectation<'progress'> = {
  expectation: 'progress',
  judge(limit, { groups, brokenAt, endedAt }) {
    let longest = { ms: 0, what: '' }
    let judged = 0
    for (const [what, samples] of byPartition(groups)) {
      judged++
      let since = samples[0]!.at
      for (const [i, { at, committed, end }] of samples.entries()) {
        const moved = i === 0 || (committed ?? 0) > (samples[i - 1]!.committed ?? 0)
        const nothingToDo = end !== null && committed !== null && committed >= end
        if (moved || nothingToDo) since = at
        else if (at > brokenAt && at <= endedAt && at - since > longest.ms) longest = { ms: at - since, what }
      }
    }
    return {
      status: judged === 0 ? 'untested' : longest.ms > limit ? 'broken' : 'met',
      limit: `none stands still for ${seconds(limit)}`,
      found: judged === 0 ? 'no group' : `${seconds(longest.ms)}${longest.what ? ` (${longest.what})` : ''}`,
      examples: [],
    }
  },
}

function byPartition(groups: readonly GroupSample[]) {
  const found = new Map<string, { at: number; committed: number | null; end: number | null }[]>()
  for (const { group, at, positions } of groups) {
    for (const { partition, committed, end } of positions) {
      const key = `${group} on ${partition}`
      found.set(key, [...(found.get(key) ?? []), { at, committed, end }])
    }
  }
  return found
}
