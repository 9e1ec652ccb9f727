// The verdict: each expectation has a run that it fails, and one that does not put it to the test; a pass has to be earned.
import type { ClusterEvent } from '@faultline/director'
import { describe, expect, it } from 'vitest'
import { type Evidence, History, identityOf, judge, junitOf, readExperiment } from '../src/index.ts'

const BROKEN = 10_000
const HEALED = 20_000
const COPIES = { kind: 'transform', from: 't', to: 'out', group: 'g', transactionalId: 'x' } as const
const ENDED = 30_000

/** Acknowledged every 50 ms in each of two partitions, but for `gap`. */
function evidence(expectations: string, change: Partial<Evidence> = {}, gap: readonly [number, number] = [0, 0]): Evidence {
  const experiment = readExperiment(
    'e.yaml',
    `name: e
about: an example
topics: [{ name: t, partitions: 2 }, { name: out, partitions: 2 }]
workload: [{ kind: producer, topic: t }, { kind: group, topic: t }, { kind: app, command: x }]
timeline: [{ at: 0s, kill: "broker:1" }]
expect: ${expectations}`,
  )
  const history = new History()
  for (let at = 0, sequence = 0; at <= ENDED; at += 50, sequence++) {
    if (at > gap[0] && at < gap[1]) continue
    for (const partition of [0, 1]) {
      const send = history.begin('p', 't', partition, sequence, at)
      Object.assign(send, { outcome: 'ok', ended: at + 2 })
      const read = {
        op: 'read',
        process: 'final',
        partition,
        offset: sequence,
        key: identityOf(send),
        value: identityOf(send),
        at: ENDED,
      } as const
      history.final.push({ ...read, topic: 't' }, { ...read, topic: 'out' })
    }
  }
  const shrink = {
    seq: 1,
    t: BROKEN + 1,
    mono: 0,
    node: 'controller:101',
    event: 'partition.change',
    topic: 't',
    isr: [1],
    replicas: [1, 2],
  }
  return {
    experiment,
    history,
    events: [shrink as unknown as ClusterEvent],
    faults: [],
    steps: [],
    died: [],
    disarmed: false,
    brokenAt: BROKEN,
    healedAt: HEALED,
    endedAt: ENDED,
    isrFullAt: HEALED + 500,
    groups: [],
    views: [],
    replicas: [],
    copies: [],
    seed: 7,
    lag: 0,
    ...change,
  }
}

/** One group, looked at every second: for five seconds it commits nothing, though there is something. */
function standing(): Evidence['groups'] {
  return Array.from({ length: 30 }, (_, i) => ({
    at: i * 1000,
    group: 'g',
    state: 'Stable',
    members: 1,
    positions: [{ partition: 't-0', committed: i < 12 || i > 16 ? i : 11, end: 100 }],
  }))
}

/** A group's consumers were given so many records, and then given them once more. */
function readTwice(records: number): Partial<Evidence> {
  const { history } = evidence('{ lost: 0 }')
  for (const member of ['g/0', 'g/1']) {
    const hold = history.hold(member, 'g', 't', 0, 0, 0).number
    for (const { topic, partition, key, value } of history.final.slice(0, records))
      history.reads.push({ op: 'read', process: member, topic, partition, offset: 0, key, value, at: BROKEN, hold })
  }
  history.reads.forEach((r, i) => Object.assign(r, { offset: i % records }))
  return { history }
}

/** So often while it was broken, once before that; and a group of KIP-848 tells of each in two states. */
function rebalanced(times: number): Partial<Evidence> {
  const event = (t: number, state: string, generation: number) =>
    ({ seq: t, t, mono: t, node: 'broker:1', event: 'group.state', group: 'g', state, generation, reason: 'x' }) as ClusterEvent
  const classic = Array.from({ length: times - 1 }, (_, i) => event(BROKEN + 10 + i, 'PreparingRebalance', i))
  const modern = [event(BROKEN + 20, 'Assigning', 9), event(BROKEN + 21, 'Reconciling', 9)]
  return { groups: standing(), events: [event(5, 'PreparingRebalance', 0), ...classic, ...modern] }
}

const without = (made: Evidence, from: number, to: number): Evidence => {
  const stays = made.history.sends.filter((s) => s.began < from || s.began > to)
  made.history.sends.splice(0, made.history.sends.length, ...stays)
  return made
}

const fault = (hits: number, observe = false) =>
  [{ id: 'f1', family: 'process', kind: 'kill', hits, request: { observe } }] as unknown as Evidence['faults']

describe('a verdict', () => {
  it('is a pass when all that was expected was put to the test and held', () => {
    const all =
      '{ lost: 0, duplicated: 0, reordered: 0, unavailability: 1s, isrFull: 1s, ackP99: 10ms, lag: 0, exactlyOnce: { from: t, to: out } }'
    const verdict = judge(evidence(all, { faults: fault(1) }))
    expect(verdict).toMatchObject({ outcome: 'pass', reasons: [] })
    expect(verdict.expectations.map((e) => e.status)).toEqual(Array.from({ length: 8 }, () => 'met'))
  })

  it.each<[string, string, Partial<Evidence>, readonly [number, number], RegExp]>([
    ['unavailability', '{ unavailability: 3s }', {}, [12_000, 16_000], /unavailability: 4\.0 s \(t-0\)/],
    ['isrFull, late', '{ isrFull: 100ms }', {}, [0, 0], /isrFull: 500 ms, expected within 100 ms/],
    ['isrFull, never', '{ isrFull: 1s }', { isrFullAt: undefined }, [0, 0], /not full when the run ended/],
    ['ackP99', '{ ackP99: 1ms }', {}, [0, 0], /ackP99: 2 ms/],
    ['progress', '{ progress: 4s }', { groups: standing() }, [0, 0], /progress: 5\.0 s \(g on t-0\)/],
    ['readAgain', '{ readAgain: 2 }', readTwice(3), [0, 0], /readAgain: 3 of 6, expected at most 2/],
    ['rebalances', '{ rebalances: 1 }', rebalanced(2), [0, 0], /rebalances: 2, expected at most 1/],
    ['lag', '{ lag: 0 }', { lag: 3 }, [0, 0], /lag: 3, expected at most 0/],
  ])('fails for %s', (_, expectations, change, gap, reason) => {
    const { outcome, reasons } = judge(evidence(expectations, change, gap))
    expect([outcome, reasons.join()]).toEqual(['fail', expect.stringMatching(reason)])
  })

  it('fails for a copy that is missing, or there twice', () => {
    const missing = evidence('{ exactlyOnce: { from: t, to: out } }')
    missing.history.final.splice(
      missing.history.final.findIndex((r) => r.topic === 'out'),
      1,
    )
    expect(judge(missing)).toMatchObject({ outcome: 'fail' })
    const twice = evidence('{ exactlyOnce: { from: t, to: out } }')
    twice.history.final.push({ ...twice.history.final.find((r) => r.topic === 'out')!, offset: 99_999 })
    expect(judge(twice).reasons).toEqual([expect.not.stringContaining('legal')])
    twice.experiment.workload.push({ ...COPIES, members: 2 })
    expect(judge(twice).reasons).toEqual([
      expect.stringMatching(/^exactlyOnce: .*legal here: kafkajs commits without a generation/),
    ])
  })

  it.each<[string, Evidence, RegExp]>([
    ['a fault that never hit', evidence('{ lost: 0 }', { faults: fault(0) }), /fault f1 \(process kill\) never hit/],
    ['a fault that only looked', evidence('{ lost: 0 }', { faults: fault(3, true) }), /never hit/],
    ['a disarmed run', evidence('{ lost: 0 }', { disarmed: true }), /nothing was broken/],
    ['a workload that gave up', evidence('{ lost: 0 }', { died: ['p: gone'] }), /p: gone/],
    [
      'no load before',
      without(evidence('{ lost: 0 }'), 0, 9900),
      /only \d+ acknowledgements before the first step, 100 are wanted/,
    ],
    ['no load after', without(evidence('{ lost: 0 }'), HEALED, ENDED), /only 0 acknowledgements after the last heal/],
    [
      'an ISR that did not shrink',
      evidence('{ isrFull: 1s }', { events: [] }),
      /isrFull was not put to the test: no ISR had shrunk/,
    ],
    ['no group to make progress', evidence('{ progress: 1s }'), /progress was not put to the test: no group/],
    ['nobody who reads again', evidence('{ readAgain: 0 }'), /readAgain was not put to the test: no group/],
    ['no group to rebalance', evidence('{ rebalances: 0 }'), /rebalances was not put to the test: no group/],
    ['no group to lag', evidence('{ lag: 0 }', { lag: undefined }), /lag was not put to the test: no group/],
  ])('is inconclusive with %s', (_, made, reason) => {
    const { outcome, reasons } = judge(made)
    expect([outcome, reasons.join()]).toEqual(['inconclusive', expect.stringMatching(reason)])
  })

  it('says where what is broken is legal, and what else was found that nobody had asked about', () => {
    const made = evidence('{ vanished: 0, lost: 0 }')
    made.experiment.workload.splice(0, 1, { kind: 'producer', topic: 't', rate: 1, acks: 1, idempotent: false })
    const send = made.history.begin('producer-1', 't', 0, 0, 100)
    Object.assign(send, { outcome: 'ok', ended: 101 })
    made.history.final.push({ ...made.history.final[0]!, offset: 99_999 })
    const { outcome, reasons, unasked, seed } = judge(made)
    expect([outcome, seed]).toEqual(['fail', 7])
    expect(reasons[0]).toMatch(
      /^lost: 1 of \d+ \(legal here: acks=1 is answered before the followers have it\), expected at most 0$/,
    )
    expect(unasked).toEqual(['duplicated: 1'])
  })

  it.each<[string, Partial<Evidence['copies'][number]>[], string, RegExp]>([
    ['with an error', [{ code: 3, words: 'no' }], 'fail', /finishes: 0 of 1/],
    ['not at all', [{ code: 0 }, { code: null, endedAt: null }], 'fail', /finishes: 1 of 2/],
    ['too soon', [{ code: 0, endedAt: BROKEN - 1 }], 'inconclusive', /app:1 had ended before anything was broken/],
    ['and there is none', [], 'inconclusive', /finishes was not put to the test: no program/],
  ])('of a program that ends %s', (_, ends, expected, reason) => {
    const copies = ends.map((end, i) => ({ name: `app:${i + 1}`, code: 0, endedAt: ENDED, words: '', ...end }))
    const { outcome, reasons } = judge(evidence('{ finishes: 30s }', { copies }))
    expect([outcome, reasons.join()]).toEqual([expected, expect.stringMatching(reason)])
  })

  it('of a program that ends well is a pass', () => {
    const copies = [{ name: 'app:1', code: 0, endedAt: ENDED + 5, words: '' }]
    expect(judge(evidence('{ finishes: 30s }', { copies }))).toMatchObject({ outcome: 'pass' })
  })

  it('is a fail even where there are doubts, and is told to machines', () => {
    const verdict = judge(evidence('{ lag: 0, lost: 0 }', { lag: 3, faults: fault(0) }))
    expect(verdict.outcome).toBe('fail')
    const xml = junitOf('a & b', verdict)
    expect(xml).toContain('<testsuite name="a &amp; b" tests="3" failures="1" errors="0" skipped="0">')
    expect(xml).toContain('<failure message="3, expected at most 0">')
  })
})
