// Duplicated: sent once, there at more than one offset.
import { readIdentity } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

export const duplicated: Checker = {
  anomaly: 'duplicated',
  what: 'records that are there more than once',
  check(facts) {
    const { history, policy } = facts
    const first = new Map<string, number>()
    const findings = new Findings()
    for (const read of history.final) {
      const { topic, partition, value, offset } = read
      const key = `${topic} ${value}`
      const before = first.get(key)
      if (before === undefined) first.set(key, offset)
      else
        findings.add(
          `${topic}-${partition}: ${value} at ${before} and ${offset}`,
          policy.repeats(readIdentity(value)?.process ?? ''),
          facts.whenSent(read),
        )
    }
    return findings.of(history.final.length)
  },
}
