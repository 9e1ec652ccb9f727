// Each key of one topic once in another, as readers with isolation.level=read_committed see both.
import { Findings } from '../checkers/checker.ts'
import { legalIn } from './anomalies.ts'
import type { Expectation } from './expectation.ts'

const UNFENCED = 'kafkajs commits without a generation (KIP-447), so a member that was removed may still copy'

export const exactlyOnce: Expectation<'exactlyOnce'> = {
  expectation: 'exactlyOnce',
  judge({ from, to }, { history, experiment }) {
    const counts = new Map<string, number>()
    for (const { topic, key } of history.final) if (topic === to) counts.set(key, (counts.get(key) ?? 0) + 1)
    const input = new Set(history.final.filter((r) => r.topic === from).map((r) => r.key))
    const findings = new Findings()
    const members = experiment.workload.some((w) => w.kind === 'transform' && w.to === to && w.members > 1)
    for (const key of input) {
      const count = counts.get(key) ?? 0
      if (count !== 1) findings.add(`${key} is ${count} times in ${to}`, members && count > 1 ? UNFENCED : undefined)
    }
    for (const key of counts.keys()) if (!input.has(key)) findings.add(`${key} is in ${to}, and not in ${from}`)
    const { count, legal, reasons, examples } = findings.of(input.size)
    return {
      status: input.size === 0 ? 'untested' : count > 0 ? 'broken' : 'met',
      limit: `each key of ${from} once in ${to}`,
      found:
        input.size === 0
          ? `${from} is empty`
          : `${input.size - Math.min(count, input.size)} of ${input.size}${legalIn(count, legal, reasons)}`,
      examples,
    }
  },
}
