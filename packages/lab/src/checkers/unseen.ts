// Unseen: there at the end, and no consumer has ever read it. Only partitions that somebody consumed are judged.
import { type Checker, Findings } from './checker.ts'
import { Ranges } from './ranges.ts'

export const unseen: Checker = {
  anomaly: 'unseen',
  what: 'records that are there and that no consumer has read',
  check(facts) {
    const { history, finalOf, policy } = facts
    const findings = new Findings()
    const read = history.given.filter((g) => g.to > g.from)
    const given = new Ranges(read)
    const consumed = new Set([...history.holds, ...history.reads, ...read].map((o) => `${o.topic}-${o.partition}`))
    const seen = new Set(history.reads.map((r) => `${r.topic} ${r.value}`))
    let judged = 0
    for (const at of consumed)
      for (const read of finalOf.get(at) ?? []) {
        const { topic, offset, value } = read
        judged++
        if (!seen.has(`${topic} ${value}`) && !given.has(at, offset))
          findings.add(`${at}@${offset}: ${value}`, policy.unread(topic), facts.whenSent(read))
      }
    return findings.of(judged)
  },
}
