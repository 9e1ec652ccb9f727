// Duplicated: sent once, there at more than one offset.
import { type Checker, Findings } from './checker.ts'

export const duplicated: Checker = {
  anomaly: 'duplicated',
  what: 'records that are there more than once',
  check(history) {
    const first = new Map<string, number>()
    const findings = new Findings()
    for (const { topic, partition, value, offset } of history.final) {
      const key = `${topic} ${value}`
      const before = first.get(key)
      if (before === undefined) first.set(key, offset)
      else findings.add(`${topic}-${partition}: ${value} at ${before} and ${offset}`)
    }
    return findings.of(history.final.length)
  },
}
