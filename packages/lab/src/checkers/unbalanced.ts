// Unbalanced: money that a bank's transfers have made or destroyed, as a reader with isolation.level=read_committed adds it up. A transfer writes what
// it takes and what it gives in one transaction: "account-3:-25", "account-7:25".
import { type Checker, Findings } from './checker.ts'
import { type Facts, groupBy } from './facts.ts'

export const unbalanced: Checker = {
  anomaly: 'unbalanced',
  what: 'transfers of a bank that do not add up to nothing',
  check(facts) {
    const banks = new Set(facts.left.experiment.workload.flatMap((w) => (w.kind === 'bank' ? [w.topic] : [])))
    const findings = new Findings()
    const records = facts.history.final.filter((r) => banks.has(r.topic))
    const transfers = groupBy(records, (r) => facts.sendOf(r)?.transaction ?? r.value)
    for (const [id, of] of transfers) {
      const sum = of.reduce((total, { key }) => total + Number(key.slice(key.indexOf(':') + 1)), 0)
      if (sum !== 0)
        findings.add(`${id}: ${of.map((r) => r.key).join(' and ')} leave ${sum}`, reasonFor(facts, id), facts.whenSent(of[0]!))
    }
    return findings.of(transfers.size)
  },
}

/** What is missing may have been in another partition than what is there. */
function reasonFor(facts: Facts, id: string): string | undefined {
  const sends = facts.sendsOf.get(id) ?? []
  return sends.map((s) => facts.policy.lossOf(s)).find((why) => why !== undefined) ?? facts.policy.forgotten()
}
