// Disagreeing: at any time, brokers that name different leaders for one leader epoch; at the end, when all is healed, brokers that know a partition's
// leader, epoch or ISR differently. In between metadata may be late.
import type { BrokerView } from '../run/cluster-watch.ts'
import { type Checker, Findings } from './checker.ts'

export const disagreeing: Checker = {
  anomaly: 'disagreeing',
  what: 'partitions of which brokers know different things',
  check({ left: { views } }) {
    const findings = new Findings()
    const named = new Map<string, BrokerView>()
    const last = new Map<string, Map<string, BrokerView>>()
    for (const view of views) {
      const partition = `${view.topic}-${view.partition}`
      const key = `${partition} in epoch ${view.leaderEpoch}`
      const other = named.get(key)
      if (other === undefined) named.set(key, view)
      else if (isOther(other, view))
        findings.add(`${key}: ${other.broker} says ${other.leader}, ${view.broker} says ${view.leader}`, undefined, view)
      if (!last.has(partition)) last.set(partition, new Map())
      last.get(partition)!.set(view.broker, view)
    }
    for (const [partition, of] of last) {
      const says = new Set(
        [...of.values()].map((v) => `leader ${v.leader}, epoch ${v.leaderEpoch}, ISR ${[...v.isr].sort().join(' ')}`),
      )
      if (says.size > 1) findings.add(`${partition} at the end: ${[...says].join('; ')}`, undefined, [...of.values()].at(-1))
    }
    return findings.of(views.length)
  },
}

/** Nobody is named while the leader is away, in an epoch that had one. */
function isOther(a: BrokerView, b: BrokerView): boolean {
  return a.leader !== null && b.leader !== null && a.leader !== b.leader
}
