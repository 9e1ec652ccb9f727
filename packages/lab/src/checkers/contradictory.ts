// Contradictory (Jepsen's inconsistent-offsets): one offset of a partition held two different records.
import { groupBy } from './facts.ts'
import { type Checker, Findings } from './checker.ts'

export const contradictory: Checker = {
  anomaly: 'contradictory',
  what: 'offsets that held one record first and another one later',
  check(facts) {
    const { history, policy, finalOf } = facts
    const findings = new Findings()
    const readsOf = groupBy(history.reads, (r) => `${r.topic}-${r.partition}`)
    for (const at of new Set([...readsOf.keys(), ...finalOf.keys()])) {
      const held = new Map<number, string>()
      for (const reads of [readsOf.get(at) ?? [], finalOf.get(at) ?? []])
        for (const read of reads) {
          const { topic, partition, offset, value } = read
          const before = held.get(offset)
          if (before === undefined) held.set(offset, value)
          else if (before !== value)
            findings.add(`${at}@${offset}: ${before}, then ${value}`, policy.loss(topic, partition), facts.whenSent(read))
        }
    }
    return findings.of(history.reads.length + history.final.length)
  },
}
