// Write cycles (G0): two transactions whose records lie one way round in one partition and the other way round in another. Kafka isolates no writes:
// by Jepsen's policy that is reported and no mistake.
import { type Checker, Findings } from './checker.ts'
import type { Facts } from './facts.ts'
import { Graph } from './graph.ts'

export const NOT_ISOLATED = 'Kafka does not isolate writes of transactions from each other'

export const writeCycles: Checker = {
  anomaly: 'writeCycles',
  what: 'circles of transactions that overwrote each other',
  check(facts) {
    const graph = new Graph()
    addWrites(facts, graph)
    const findings = new Findings()
    for (const cycle of graph.cycles()) findings.add(inWords(cycle), NOT_ISOLATED)
    return findings.of(graph.size)
  },
}

/** From each transaction to the one that wrote next in a partition. */
export function addWrites(facts: Facts, graph: Graph): void {
  for (const reads of facts.finalOf.values()) {
    let before: string | undefined
    for (const read of reads) {
      const { transaction } = facts.sendOf(read) ?? {}
      if (transaction === undefined || transaction === null) continue
      if (before !== undefined) graph.add(before, transaction)
      before = transaction
    }
  }
}

export function inWords(cycle: readonly string[]): string {
  const shown = cycle.slice(0, 4).join(', ')
  return cycle.length > 4 ? `${shown} and ${cycle.length - 4} more` : shown
}
