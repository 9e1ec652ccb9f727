// Lost: acknowledged, in a transaction also committed for certain, and not there at the end.
import { identityOf } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

export const lost: Checker = {
  anomaly: 'lost',
  what: 'acknowledged records that are not there at the end',
  check(facts) {
    const findings = new Findings()
    let judged = 0
    for (const send of facts.history.sends) {
      if (send.outcome !== 'ok') continue
      const transaction = facts.transactionOf(send)
      if (transaction && transaction.outcome !== 'ok') continue
      judged++
      if (facts.isThere(send)) continue
      const what = `${send.topic}-${send.partition}: ${identityOf(send)}, acknowledged at ${send.ended}`
      findings.add(what, facts.policy.lossOf(send) ?? (transaction && facts.policy.forgotten()), { ...send, at: send.ended })
    }
    return findings.of(judged)
  },
}
