// Each checker finds its anomaly in histories that have it, and nothing in those that have not.
import { describe, expect, it } from 'vitest'
import { CHECKERS } from '../src/index.ts'
import { experimentOf, type Story, story } from './story.ts'

const BANK = experimentOf('workload: [{ kind: bank, topic: t }]')

/** a's transaction sends a0 to t-0 and to t-1. */
const both = (words: Parameters<Story['transaction']>[1] = {}) =>
  story().transaction('a', words).send('a0', { in: 'a#0' }).send('a0', { in: 'a#0', on: 't-1' })

/** Transactions of a and b, each with a record in t-0 and in t-1, in this order. */
const crossed = (first: string, second: string) =>
  story()
    .transaction('a')
    .transaction('b')
    .send('a0', { in: 'a#0' })
    .send('b0', { in: 'b#1' })
    .send('a0', { in: 'a#0', on: 't-1' })
    .send('b0', { in: 'b#1', on: 't-1' })
    .there(first)
    .there(second, 't-1')

/** a's transaction moved g's position of t-0 to 5, and wrote a0. */
const moved = (outcome: 'ok' | 'fail' | 'info' = 'ok') =>
  story().transaction('a', { outcome, group: 'g', positions: 't-0:5' }).send('a0', { in: 'a#0', on: 't-1' })

const CASES: Readonly<Record<string, { good: [string, Story][]; bad: [string, Story, number][] }>> = {
  lost: {
    good: [
      ['all are there', story().send('a0 a1 a2').there('a0 a1 a2')],
      ['open and failed ones', story().send('a0').send('a1', { outcome: 'info' }).send('a2', { outcome: 'fail' }).there('a0')],
      ['an aborted transaction', both({ outcome: 'fail' })],
      ['a transaction that is open', both({ outcome: 'info' })],
      ['of a program, by what it holds', story().appSend('x', 'ok', 0).appSend('y', 'info').appThere('x')],
    ],
    bad: [
      ['of a program, and another record is there', story().appSend('x', 'ok', 0).appThere('y'), 1],
      ['one', story().send('a0 a1 a2').there('a0 a2'), 1],
      ['all', story().send('a0 a1 b0'), 3],
      ['a committed transaction', both(), 2],
    ],
  },
  vanished: {
    good: [
      ['what was read is there', story().send('a0 a1').read('r', 'a0@0').there('a0 a1')],
      ['open, and nobody saw it', story().send('a0', { outcome: 'info' })],
    ],
    bad: [
      ['open, and somebody saw it', story().send('a0', { outcome: 'info' }).read('r', 'a0@0'), 1],
      ['told once', story().send('a0 a1').read('r', 'a0@0 a1@1').read('q', 'a0@0').there('a1'), 1],
    ],
  },
  duplicated: {
    good: [
      ['once each', story().send('a0 a1').there('a0 a1')],
      ['of two processes', story().send('a0 b0').there('a0 b0')],
      ['the same number in another partition', story().there('a0').there('a0', 't-1')],
      ['a program that says the same twice', story().appSend('x', 'ok', 0).appSend('x', 'ok', 1).appThere('x x')],
      ['a program that said it again, and once is there', story().appSend('x', 'info').appSend('x', 'ok', 0).appThere('x')],
    ],
    bad: [
      ['a program that said it again, and both are there', story().appSend('x', 'info').appSend('x', 'ok', 1).appThere('x x'), 1],
      ['one', story().send('a0 a1').there('a0 a1 a0'), 1],
      ['twice', story().send('a0').there('a0 a0 a0'), 2],
    ],
  },
  reordered: {
    good: [
      ['in order', story().there('a0 a1 a2')],
      ['others in between', story().there('b0 a0 a1')],
      ['one is missing', story().there('a0 a2')],
      ['a second copy', story().there('a0 a1 a0')],
    ],
    bad: [
      ['one', story().there('a0 a2 a1'), 1],
      ['two', story().there('a2 b0 a1 a0'), 2],
    ],
  },
  contradictory: {
    good: [
      ['the same', story().read('r', 'a0@0 a1@1').there('a0 a1')],
      ['read in part', story().read('r', 'a0@0').there('a0 a1')],
      ['another partition', story().read('r', 'a0@0', { on: 't-1' }).there('b0')],
    ],
    bad: [
      ['another at the end', story().read('r', 'a0@0 a0@1').there('a0 a1'), 1],
      ['two', story().read('r', 'a0@0 a1@1').there('a1 a0'), 2],
      ['two readers', story().read('r', 'a0@0').read('q', 'b0@0'), 1],
    ],
  },
  invented: {
    good: [
      ['acknowledged and open', story().send('a0').send('a1', { outcome: 'info' }).there('a0 a1')],
      ['read', story().send('a0').there('a0').read('r', 'a0@0')],
      ['a topic that nobody of ours writes to', story().send('a0').there('x7', 'other-0')],
    ],
    bad: [
      ['a failed send', story().send('a0').send('a1', { outcome: 'fail' }).there('a0 a1'), 1],
      ['never sent', story().send('a0').there('a0').read('r', 'a7@7'), 1],
    ],
  },
  nonmonotonicPoll: {
    good: [
      ['on and on', story().hold('r').read('r', 'a0@0 a1@1 a2@5')],
      ['again, under another hold', story().hold('r').read('r', 'a0@0 a1@1').hold('r').read('r', 'a0@0')],
      ['two partitions', story().hold('r').read('r', 'a0@5').hold('r', { on: 't-1' }).read('r', 'a0@0', { on: 't-1' })],
      [
        'a batch in hand when the group gave it the partition once more',
        story().hold('r', { group: 'g' }).read('r', 'a0@0 a1@1').hold('r', { group: 'g' }).read('r', 'a2@2 a1@1 a2@2'),
      ],
    ],
    bad: [
      [
        'twice, after a group gave it the partition once more',
        story().hold('r', { group: 'g' }).read('r', 'a0@0').hold('r', { group: 'g' }).read('r', 'a1@1 a0@0 a0@0'),
        1,
      ],
      ['back', story().hold('r').read('r', 'a0@0 a1@1 a0@0'), 1],
      ['the same twice', story().hold('r').read('r', 'a0@0 a0@0 a1@1 a1@1'), 2],
    ],
  },
  pollSkip: {
    good: [
      ['all', story().hold('r', { from: 0 }).read('r', 'a0@0 a1@1').there('a0 a1')],
      ['a marker in between', story().hold('r').read('r', 'a0@0 a1@2').there('a0 - a1')],
      ['another hold', story().hold('r').read('r', 'a0@0').hold('r').read('r', 'a2@2').there('a0 a1 a2')],
    ],
    bad: [
      ['one', story().hold('r').read('r', 'a0@0 a2@2').there('a0 a1 a2'), 1],
      ['the first', story().hold('r', { from: 0 }).read('r', 'a1@1').there('a0 a1'), 1],
    ],
  },
  nonmonotonicSend: {
    good: [
      ['on and on', story().send('a0 a1', { from: 4 }).send('a2', { from: 9 })],
      ['two processes', story().send('a0', { from: 4 }).send('b0', { from: 1 })],
      ['where, nobody said', story().send('a0', { from: 4 }).send('a1')],
    ],
    bad: [
      ['back', story().send('a0', { from: 4 }).send('a1', { from: 2 }), 1],
      ['the same offset', story().send('a0', { from: 4 }).send('a1', { from: 4 }), 1],
    ],
  },
  unseen: {
    good: [
      ['a program was given it', story().there('a0 a1').given(0, 1, 1).given(1, 2, 2)],
      ['all was read', story().there('a0 a1').read('r', 'a0@0').read('q', 'a1@1')],
      ['a partition that nobody reads', story().there('a0').read('r', 'a0@0').there('a0', 't-1')],
    ],
    bad: [
      ['one', story().there('a0 a1').read('r', 'a0@0'), 1],
      ['held, and never read', story().hold('r').there('a0 a1'), 2],
    ],
  },
  abortedRead: {
    good: [
      ['committed', both().there('a0').read('r', 'a0@0')],
      ['open', both({ outcome: 'info' }).there('a0')],
    ],
    bad: [
      ['there at the end', both({ outcome: 'fail' }).there('a0'), 1],
      ['read meanwhile', both({ outcome: 'fail', committing: null }).read('r', 'a0@0').read('r', 'a0@0', { on: 't-1' }), 2],
    ],
  },
  dirtyRead: {
    good: [
      ['after the commit was asked for', both({ committing: 5 }).read('r', 'a0@0', { at: 5 })],
      ['what is in no transaction', story().send('a0').read('r', 'a0@0', { at: 0 })],
    ],
    bad: [
      ['before', both({ committing: 5 }).read('r', 'a0@0', { at: 4 }), 1],
      ['by itself', both({ committing: 5 }).read('a', 'a0@0', { at: 6, in: 'a#0' }), 1],
    ],
  },
  torn: {
    good: [
      ['whole', both().there('a0').there('a0', 't-1')],
      ['not there at all', both({ outcome: 'info' })],
      [
        'a part was never appended',
        story().transaction('a').send('a0', { in: 'a#0' }).send('a1', { in: 'a#0', outcome: 'info' }).there('a0'),
      ],
    ],
    bad: [
      ['committed', both().there('a0'), 1],
      ['open', both({ outcome: 'info' }).there('a0', 't-1'), 1],
    ],
  },
  tornOffsets: {
    good: [
      ['both are there', moved().there('a0', 't-1').committed(5)],
      ['neither is', moved('fail').committed(0)],
      ['a later one went on', moved().transaction('b', { group: 'g', positions: 't-0:9' }).there('a0', 't-1').committed(9)],
      ['it wrote nothing', story().transaction('a', { group: 'g', positions: 't-0:5' }).committed(5)],
    ],
    bad: [
      ['output without position', moved().there('a0', 't-1').committed(3), 1],
      ['position without output', moved('info').committed(5), 1],
      ['position of an aborted one', moved('fail').committed(5), 1],
    ],
  },
  unbalanced: {
    good: [
      ['it adds up', story(BANK).transaction('a').send('a0 a1', { in: 'a#0' }).there('a0 a1', 't-0', ['x:-5', 'y:5'])],
      ['a topic without money', story().there('a0', 't-0', ['x:-5'])],
    ],
    bad: [
      ['half', story(BANK).transaction('a').send('a0 a1', { in: 'a#0' }).there('a0', 't-0', ['x:-5']), 1],
      [
        'one half twice',
        story(BANK).transaction('a').send('a0 a1', { in: 'a#0' }).there('a0 a1 a1', 't-0', ['x:-5', 'y:5', 'y:5']),
        1,
      ],
    ],
  },
  writeCycles: {
    good: [
      ['one after the other', crossed('a0 b0', 'a0 b0')],
      ['no transactions', story().send('a0 b0').send('a0 b0', { on: 't-1' }).there('a0 b0').there('b0 a0', 't-1')],
    ],
    bad: [
      ['crossed', crossed('a0 b0', 'b0 a0'), 1],
      ['crossed, with others in between', crossed('a0 x7 b0', 'b0 x7 a0'), 1],
    ],
  },
  circularFlow: {
    good: [
      ['one way', crossed('a0 b0', 'a0 b0').read('b', 'a0@0', { in: 'b#1' })],
      ['by nobody of them', crossed('a0 b0', 'b0 a0').read('r', 'a0@0')],
    ],
    bad: [
      ['each read the other', crossed('a0 b0', 'a0 b0').read('b', 'a0@0', { in: 'b#1' }).read('a', 'b0@1', { in: 'a#0' }), 1],
      ['a write closes the circle', crossed('a0 b0', 'a0 b0').read('a', 'b0@1', { in: 'a#0' }), 1],
    ],
  },
  twoOwners: {
    good: [
      ['one after the other', story().hold('r', { group: 'g', ended: 5 }).hold('q', { group: 'g', began: 5 })],
      ['two groups', story().hold('r', { group: 'g' }).hold('q', { group: 'h' })],
      ['taken, not assigned', story().hold('r').hold('q')],
      ['the same again', story().hold('r', { group: 'g' }).hold('r', { group: 'g', began: 3 })],
    ],
    bad: [
      [
        'in one generation',
        story().hold('r', { group: 'g', generation: 1 }).hold('q', { group: 'g', began: 3, generation: 1 }),
        1,
      ],
      [
        'two, while one goes on',
        story()
          .hold('r', { group: 'g', ended: 9 })
          .hold('q', { group: 'g', began: 3, ended: 4 })
          .hold('q', { group: 'g', began: 6, ended: 7 }),
        2,
      ],
    ],
  },
  fencedCommit: {
    good: [
      ['of its generation', story().hold('r', { group: 'g', began: 1, generation: 1 }).commit('r', 1, 5)],
      [
        'sent before the next began',
        story().hold('r', { group: 'g', generation: 1 }).commit('r', 1, 5).hold('q', { group: 'g', began: 6, generation: 2 }),
      ],
    ],
    bad: [
      [
        'of one that was over',
        story().hold('r', { group: 'g', generation: 1 }).hold('q', { group: 'g', began: 6, generation: 2 }).commit('r', 1, 7),
        1,
      ],
      ['twice', story().hold('q', { group: 'g', generation: 4 }).commit('q', 4, 2).commit('r', 3, 7).commit('r', 2, 8), 2],
    ],
  },
  commitBack: {
    good: [
      ['on and on', story().committed(1, 1, 5, 9)],
      ['one old answer', story().committed(5, 9, 5, 9, 10)],
    ],
    bad: [
      ['and it stays there', story().committed(5, 9, 5, 5, 6), 1],
      ['at the end', story().committed(5, 9, 5), 1],
    ],
  },
  unreadCommit: {
    good: [
      ['what was given', story().given(0, 5, 1).commit('app:1 m', 1, 2, 't-0:5').given(5, 9, 3).commit('app:1 m', 1, 4, 't-0:9')],
      ['told where it ends', story().given(7, 7, 1).commit('app:1 m', 1, 2, 't-0:7')],
      ['not a program', story().given(0, 5, 1).commit('group-1/0', 1, 2, 't-0:7')],
    ],
    bad: [
      ['more than was given', story().given(0, 5, 1).commit('app:1 m', 1, 2, 't-0:6'), 1],
      ['given later', story().given(0, 5, 1).given(5, 9, 3).commit('app m', 1, 2, 't-0:9'), 1],
      ['in a transaction', story().given(0, 5, 1).transaction('app:1 x', { group: 'g', positions: 't-0:6', committing: 2 }), 1],
    ],
  },
  highWatermarkBack: {
    good: [
      ['on and on', story().says(1, 1, 0, 5).says(1, 1, 0, 5).says(2, 2, 1, 7)],
      ['a deposed leader says what was', story().says(1, 1, 0, 5).says(2, 2, 1, 7).says(1, 1, 0, 6)],
      ['who does not know says nothing', story().says(1, 1, 0, 5).says(2, 2, 1).says(2, 2, 1, 5)],
    ],
    bad: [
      ['in an epoch', story().says(1, 1, 0, 5).says(1, 1, 0, 4), 1],
      ['with a new leader', story().says(1, 1, 0, 5).says(2, 2, 1, 3), 1],
    ],
  },
  leaderEpochBack: {
    good: [
      ['on and on', story().says(1, 1, 0).says(1, 2, 1).election('broker:2', 1).election('broker:2', 3)],
      ['another broker is late', story().says(1, 2, 5).says(2, 1, 4)],
    ],
    bad: [
      ['in a broker', story().says(1, 2, 5).says(1, 1, 4), 1],
      ['of a leader', story().election('broker:1', 5).election('broker:1', 4), 1],
    ],
  },
  twoLeaders: {
    good: [
      ['an epoch each', story().election('broker:1', 0).election('broker:2', 1).says(1, 1, 0).says(2, 2, 1)],
      ['who follows claims nothing', story().says(1, 1, 0).says(2, 1, 0)],
    ],
    bad: [
      ['two began', story().election('broker:1', 1).election('broker:2', 1), 1],
      ['two say so', story().says(1, 1, 0).says(2, 2, 0), 1],
      [
        'two controllers',
        story().event('controller.active', 'controller:1', { term: 3 }).event('controller.active', 'controller:2', { term: 3 }),
        1,
      ],
    ],
  },
  disagreeing: {
    good: [
      ['late, and then the same', story().says(1, 1, 0).says(2, 1, 0).says(2, 2, 1).says(1, 2, 1)],
      ['nobody leads for a while', story().says(1, 1, 1).says(2, null, 1).says(2, 1, 1)],
    ],
    bad: [
      ['in one epoch', story().says(1, 1, 1).says(2, 2, 1).says(1, 1, 2).says(2, 1, 2), 1],
      ['at the end', story().says(1, 1, 0).says(2, 2, 1), 1],
      ['the ISR', story().says(1, 1, 0, null, [1, 2]).says(2, 1, 0, null, [1]), 1],
    ],
  },
  divergent: {
    good: [
      ['the same', story().replica(1, '5.0 6.0 7.1').replica(2, '5.0 6.0 7.1')],
      ['one knows less', story().replica(1, '5.0 6.0 7.1').replica(2, '5.0 6.0')],
      ['one has deleted', story().replica(1, '5.0 6.0 7.1').replica(2, '7.1', 2)],
    ],
    bad: [
      ['in its bytes', story().replica(1, '5.0 6.0 7.1').replica(2, '5.0 9.0 7.1'), 1],
      ['in its epoch', story().replica(1, '5.0 6.0').replica(2, '5.0 6.1'), 1],
      ['in a gap, twice', story().replica(1, '5.0 6.0').replica(2, '5.0', 0, 2).replica(3, '5.0', 0, 2), 2],
    ],
  },
}

describe.each(CHECKERS.map((c) => [c.anomaly, c] as const))('%s', (anomaly, checker) => {
  const { good, bad } = CASES[anomaly]!

  it.each(good)('is not there: %s', (_, { facts }) => {
    expect(checker.check(facts)).toMatchObject({ count: 0, examples: [] })
  })

  it.each(bad)('is there: %s', (_, { facts }, count) => {
    const found = checker.check(facts)
    expect(found.count).toBe(count)
    expect(found.examples).toHaveLength(Math.min(count, 5))
    expect(found.judged).toBeGreaterThan(0)
  })

  it('has judged nothing where there is nothing', () => {
    expect(checker.check(story().facts)).toMatchObject({ count: 0, judged: 0, examples: [] })
  })

  it('has two good and two bad histories at least', () => {
    expect([good.length, bad.length].every((n) => n >= 2)).toBe(true)
  })
})
