// Lost: acknowledged, and not there at the end.
import { identityOf } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

export const lost: Checker = {
  anomaly: 'lost',
  what: 'acknowledged records that are not there at the end',
  check(history) {
    const there = new Set(history.final.map((r) => `${r.topic} ${r.value}`))
    const findings = new Findings()
    const { acknowledged } = history
    for (const send of acknowledged) {
      const value = identityOf(send)
      if (!there.has(`${send.topic} ${value}`))
        findings.add(`${send.topic}-${send.partition}: ${value}, acknowledged at ${send.ended}`)
    }
    return findings.of(acknowledged.length)
  },
}
