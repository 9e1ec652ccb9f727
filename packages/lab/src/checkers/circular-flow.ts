// Circular flow (G1c): a transaction read what another had written that, by way of others perhaps, came after it. By reads alone that is a mistake;
// where writes that overtook each other are part of the circle, it is none by Jepsen's policy.
import { type Checker, Findings } from './checker.ts'
import type { Facts } from './facts.ts'
import { Graph } from './graph.ts'
import { addWrites, inWords, NOT_ISOLATED } from './write-cycles.ts'

export const circularFlow: Checker = {
  anomaly: 'circularFlow',
  what: 'circles of transactions that read what the others wrote',
  check(facts) {
    const flows = [...flowsOf(facts)]
    const byReads = new Graph()
    const byAll = new Graph()
    for (const [from, to] of flows) for (const graph of [byReads, byAll]) graph.add(from, to)
    addWrites(facts, byAll)
    const findings = new Findings()
    const certain = byReads.cycles()
    // A transaction's id begins with its process.
    const allowed = (cycle: readonly string[]) => cycle.map((id) => facts.policy.uncommitted(id)).find((why) => why !== undefined)
    for (const cycle of certain) findings.add(inWords(cycle), allowed(cycle))
    const known = new Set(certain.flat())
    const cycles = byAll.cycles()
    const cycleOf = new Map(cycles.flatMap((cycle) => cycle.map((id) => [id, cycle] as const)))
    const withFlow = new Set(
      flows.filter(([from, to]) => cycleOf.get(from) === cycleOf.get(to)).map(([from]) => cycleOf.get(from)),
    )
    for (const cycle of cycles)
      if (withFlow.has(cycle) && !cycle.some((id) => known.has(id))) findings.add(inWords(cycle), NOT_ISOLATED)
    return findings.of(flows.length)
  },
}

/** From who wrote to who read it. */
function* flowsOf(facts: Facts): Generator<readonly [string, string]> {
  for (const read of facts.history.reads) {
    if (read.transaction === undefined) continue
    const { transaction } = facts.sendOf(read) ?? {}
    if (transaction !== undefined && transaction !== null && transaction !== read.transaction)
      yield [transaction, read.transaction]
  }
}
