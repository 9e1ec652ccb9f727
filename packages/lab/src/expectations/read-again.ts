// What a group's consumers were given more than once: at-least-once has a price, and this is how much of it may be paid.
import { Findings } from '../checkers/checker.ts'
import type { Expectation } from './expectation.ts'

export const readAgain: Expectation<'readAgain'> = {
  expectation: 'readAgain',
  judge(limit, { history }) {
    const findings = new Findings()
    const given = new Map<string, Set<number>>()
    let reads = 0
    for (const read of history.reads) {
      const group = read.hold === undefined ? null : history.holds[read.hold]!.group
      if (group === null) continue
      reads++
      const key = `${group} on ${read.topic}-${read.partition}`
      const offsets = given.get(key) ?? new Set()
      given.set(key, offsets)
      if (offsets.has(read.offset)) findings.add(`${key}@${read.offset}, by ${read.process}`, undefined, read)
      offsets.add(read.offset)
    }
    const { count, examples, findings: found } = findings.of(reads)
    const [first] = found
    return {
      status: reads === 0 ? 'untested' : count > limit ? 'broken' : 'met',
      limit: `at most ${limit}`,
      found: reads === 0 ? 'no group of the load has read anything' : `${count} of ${reads}`,
      examples,
      ...(count > limit && first ? { finding: { ...first, words: `${first.words}, and ${count - 1} more` } } : {}),
    }
  },
}
