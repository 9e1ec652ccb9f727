// Reordered: behind a record that the same process sent later to the same partition. A second copy is a duplicate, not this.
import { readIdentity } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

export const reordered: Checker = {
  anomaly: 'reordered',
  what: 'records that are behind ones that were sent after them',
  check(facts) {
    const { history, policy } = facts
    const largest = new Map<string, number>()
    const seen = new Set<string>()
    const findings = new Findings()
    for (const read of history.final) {
      const { topic, partition, value, offset } = read
      const identity = readIdentity(value)
      if (!identity || seen.has(`${topic} ${value}`)) continue
      seen.add(`${topic} ${value}`)
      const key = `${topic} ${partition} ${identity.process}/${identity.partition}`
      const before = largest.get(key) ?? -1
      if (identity.sequence < before)
        findings.add(
          `${topic}-${partition}: ${value} at ${offset}, after number ${before}`,
          policy.repeats(identity.process),
          facts.whenSent(read),
        )
      largest.set(key, Math.max(before, identity.sequence))
    }
    return findings.of(history.final.length)
  },
}
