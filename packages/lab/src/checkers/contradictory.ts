// Contradictory (Jepsen's inconsistent-offsets): one offset of a partition held two different records.
import { type Checker, Findings } from './checker.ts'

export const contradictory: Checker = {
  anomaly: 'contradictory',
  what: 'offsets that held one record first and another one later',
  check(history) {
    const held = new Map<string, string>()
    const findings = new Findings()
    for (const { topic, partition, offset, value } of [...history.reads, ...history.final]) {
      const key = `${topic}-${partition}@${offset}`
      const before = held.get(key)
      if (before === undefined) held.set(key, value)
      else if (before !== value) findings.add(`${key}: ${before}, then ${value}`)
    }
    return findings.of(history.reads.length + history.final.length)
  },
}
