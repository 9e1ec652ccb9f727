// Torn: one part of a transaction is there at the end, another is not, although both had been appended. That all of it is missing is a loss.
import { identityOf } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

export const torn: Checker = {
  anomaly: 'torn',
  what: 'transactions of which a part is there at the end and a part is not',
  check(facts) {
    const findings = new Findings()
    let judged = 0
    for (const [id, sends] of facts.sendsOf) {
      if (sends.length < 2) continue
      judged++
      const missing = sends.filter((s) => !facts.isThere(s))
      if (missing.length === 0 || missing.length === sends.length) continue
      const [first] = missing
      findings.add(
        `${id}: ${missing.length} of ${sends.length} are missing, as ${identityOf(first!)} in ${first!.topic}-${first!.partition}`,
        missing.map((s) => facts.policy.lossOf(s)).find((why) => why !== undefined) ?? facts.policy.forgotten(),
        { ...first!, at: first!.ended },
      )
    }
    return findings.of(judged)
  },
}
