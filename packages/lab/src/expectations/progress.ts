// No partition that a group reads stands still for longer while there is something to read.
import type { Finding } from '../checkers/index.ts'
import type { GroupSample } from '../run/group-watch.ts'
import { type Expectation, seconds } from './expectation.ts'

export const progress: Expectation<'progress'> = {
  expectation: 'progress',
  judge(limit, { groups, brokenAt, endedAt }) {
    let longest = { ms: 0, what: '', from: 0 }
    let judged = 0
    for (const [what, samples] of byPartition(groups)) {
      judged++
      let since = samples[0]!.at
      for (const [i, { at, committed, end }] of samples.entries()) {
        const moved = i === 0 || (committed ?? 0) > (samples[i - 1]!.committed ?? 0)
        const nothingToDo = end !== null && committed !== null && committed >= end
        if (moved || nothingToDo) since = at
        else if (at > brokenAt && at <= endedAt && at - since > longest.ms) longest = { ms: at - since, what, from: since }
      }
    }
    return {
      status: judged === 0 ? 'untested' : longest.ms > limit ? 'broken' : 'met',
      limit: `none stands still for ${seconds(limit)}`,
      found: judged === 0 ? 'no group' : `${seconds(longest.ms)}${longest.what ? ` (${longest.what})` : ''}`,
      examples: [],
      ...(longest.ms > limit ? { finding: standing(longest) } : {}),
    }
  },
}

function standing({ ms, what, from: at }: { ms: number; what: string; from: number }): Finding {
  return { words: `${what} stood still for ${seconds(ms)}`, at, partition: what.slice(what.lastIndexOf(' ') + 1) }
}

function byPartition(groups: readonly GroupSample[]) {
  const found = new Map<string, { at: number; committed: number | null; end: number | null }[]>()
  for (const { group, at, positions } of groups) {
    for (const { partition, committed, end } of positions) {
      const key = `${group} on ${partition}`
      const of = found.get(key)
      if (of) of.push({ at, committed, end })
      else found.set(key, [{ at, committed, end }])
    }
  }
  return found
}
