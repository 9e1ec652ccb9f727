// Commit back: a group's committed position was smaller than before, in two looks at least: the answer of a coordinator that has been replaced, and
// does not know it yet, may be old. Kafka refuses no smaller position, so one that a member has sent is no mistake of the cluster.
import type { GroupSample } from '../run/group-watch.ts'
import { type Checker, Findings } from './checker.ts'
import type { Facts } from './facts.ts'

export const commitBack: Checker = {
  anomaly: 'commitBack',
  what: 'committed positions of groups that went back',
  check(facts) {
    const findings = new Findings()
    let judged = 0
    for (const [key, seen] of seriesOf(facts.left.groups)) {
      let largest = -1
      for (const [i, { at, committed }] of seen.entries()) {
        judged++
        const next = seen[i + 1]
        if (committed < largest && (next === undefined || next.committed < largest)) {
          findings.add(`${key}: ${committed} at ${at}, after ${largest}`, reasonFor(facts, key, committed), { at })
          // Told once.
          largest = committed
        }
        largest = Math.max(largest, committed)
      }
    }
    return findings.of(judged)
  },
}

function seriesOf(groups: readonly GroupSample[]): Map<string, { at: number; committed: number }[]> {
  const series = new Map<string, { at: number; committed: number }[]>()
  for (const { group, at, positions } of groups)
    for (const { partition, committed } of positions) {
      if (committed === null) continue
      const key = `${group} on ${partition}`
      const of = series.get(key)
      if (of) of.push({ at, committed })
      else series.set(key, [{ at, committed }])
    }
  return series
}

function reasonFor({ history, policy }: Facts, key: string, offset: number): string | undefined {
  const sent = history.commits.some((c) =>
    c.positions.some((p) => p.offset === offset && `${c.group} on ${p.topic}-${p.partition}` === key),
  )
  return sent ? 'a member has committed that position, and Kafka takes what members of a generation say' : policy.forgotten()
}
