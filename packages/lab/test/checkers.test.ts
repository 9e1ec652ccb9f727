// Each checker finds its anomaly in histories that have it, and nothing in those that have not.
import { describe, expect, it } from 'vitest'
import { CHECKERS, History, type Outcome } from '../src/index.ts'

/** "a0 a1! a2? | a0 a1 a0" : sends of process a (! failed, ? open), then what is there at the end, in the order of offsets. */
function history(text: string, reads = ''): History {
  const made = new History()
  const [sends, final] = text.split('|').map((side) => side.trim().split(/\s+/).filter(Boolean))
  const outcomes: Readonly<Record<string, Outcome>> = { '!': 'fail', '?': 'info' }
  for (const send of sends!) {
    const [, process, sequence, mark = ''] = /^(\w)(\d+)([!?]?)$/.exec(send)!
    const made1 = made.begin(process!, 't', 0, Number(sequence), 1)
    made1.outcome = outcomes[mark] ?? 'ok'
    made1.ended = 2
  }
  const read = (process: string) => (value: string, offset: number) => ({
    op: 'read' as const,
    process,
    topic: 't',
    partition: 0,
    offset,
    key: '',
    value: value.replace(/^(\w)(\d+)$/, '$1/0/$2'),
    at: 3,
  })
  made.final.push(...final!.map(read('final')))
  made.reads.push(...reads.split(/\s+/).filter(Boolean).map(read('reader')))
  return made
}

const CASES: Readonly<Record<string, { good: [string, string?][]; bad: [string, number, string?][] }>> = {
  lost: {
    good: [['a0 a1 a2 | a0 a1 a2'], ['a0 a1? a2! | a0'], ['a0 b0 | b0 a0']],
    bad: [
      ['a0 a1 a2 | a0 a2', 1],
      ['a0 a1 b0 |', 3],
    ],
  },
  duplicated: {
    good: [['a0 a1 | a0 a1'], ['a0 b0 | a0 b0']],
    bad: [
      ['a0 a1 | a0 a1 a0', 1],
      ['a0 | a0 a0 a0', 2],
    ],
  },
  reordered: {
    good: [['a0 a1 a2 | a0 a1 a2'], ['a0 a1 b0 | b0 a0 a1'], ['a0 a1 a2 | a0 a2'], ['a0 a1 | a0 a1 a0']],
    bad: [
      ['a0 a1 a2 | a0 a2 a1', 1],
      ['a0 a1 a2 b0 | a2 b0 a1 a0', 2],
    ],
  },
  contradictory: {
    good: [
      ['a0 a1 | a0 a1', 'a0 a1'],
      ['a0 a1 | a0 a1', 'a0'],
    ],
    bad: [
      ['a0 a1 | a0 a1', 1, 'a0 a0'],
      ['a0 a1 | a1 a0', 2, 'a0 a1'],
    ],
  },
  invented: {
    good: [['a0 a1? | a0 a1'], ['a0 | a0', 'a0']],
    bad: [
      ['a0 a1! | a0 a1', 1],
      ['a0 | a0', 1, 'a7'],
    ],
  },
}

describe.each(CHECKERS.map((c) => [c.anomaly, c] as const))('%s', (anomaly, checker) => {
  const { good, bad } = CASES[anomaly]!

  it.each(good)('is not in: %s (read: %s)', (text, reads) => {
    expect(checker.check(history(text, reads))).toMatchObject({ count: 0, examples: [] })
  })

  it.each(bad)('is in: %s, %i times (read: %s)', (text, count, reads) => {
    const found = checker.check(history(text, reads))
    expect(found.count).toBe(count)
    expect(found.examples).toHaveLength(Math.min(count, 5))
  })

  it('has judged nothing where there is nothing', () => {
    expect(checker.check(history('|'))).toEqual({ count: 0, judged: 0, examples: [] })
  })
})
