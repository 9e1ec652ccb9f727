// Each record of one topic once in another, as readers with isolation.level=read_committed see both.
import { Findings } from '../checkers/checker.ts'
import type { Expectation } from './expectation.ts'

export const exactlyOnce: Expectation<'exactlyOnce'> = {
  expectation: 'exactlyOnce',
  judge({ from, to }, { history }) {
    const counts = new Map<string, number>()
    for (const { topic, value } of history.final) if (topic === to) counts.set(value, (counts.get(value) ?? 0) + 1)
    const input = new Set(history.final.filter((r) => r.topic === from).map((r) => r.value))
    const findings = new Findings()
    for (const value of input) {
      const count = counts.get(value) ?? 0
      if (count !== 1) findings.add(`${value} is ${count} times in ${to}`)
    }
    for (const value of counts.keys()) if (!input.has(value)) findings.add(`${value} is in ${to}, and not in ${from}`)
    const { count, examples } = findings.of(input.size)
    return {
      status: input.size === 0 ? 'untested' : count > 0 ? 'broken' : 'met',
      limit: `each record of ${from} once in ${to}`,
      found: input.size === 0 ? `${from} is empty` : `${input.size - Math.min(count, input.size)} of ${input.size}`,
      examples,
    }
  },
}
