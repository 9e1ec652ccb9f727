// What a program did, told from what brokers have noted: what was heard is certain, what was not is open, and what is sent again is the same.
import { describe, expect, it } from 'vitest'
import { CHECKERS, Facts, History } from '../src/index.ts'
import type { EdgeFields, EdgePartition, EdgeRequest } from '../src/history/edge-request.ts'
import { addFromEdge } from '../src/history/from-edge.ts'
import { experimentOf } from './story.ts'

interface Asked {
  readonly who?: string
  readonly left?: boolean
  readonly answer?: EdgeFields
}

let now = 0
/** Each takes half a unit of time, and the next comes after it. */
function asked(api: string, request: EdgeFields, { who = 'app:1', left = true, answer = {} }: Asked = {}): EdgeRequest {
  const at = now++
  const about = { t: at, mono: at, node: 'broker:1', who, remote: '127.0.0.1:1', client: 'c', api, version: 1, correlation: at }
  return { ...about, request, answer, tookMs: 0.5, left }
}

const T0 = { topic: 't', partition: 0 }
const producer = (id: number, epoch = 0) => ({ producer: id, epoch })

function produced(
  digests: string,
  more: Partial<EdgePartition>,
  offset: number | string,
  left = true,
  transactionalId?: string,
): EdgeRequest {
  const all = digests.split(' ')
  const written = { ...T0, records: all.length, digests: all, ...more }
  const told = typeof offset === 'number' ? { ...T0, offset } : { ...T0, offset: -1, error: offset }
  const request = { acks: -1, partitions: [written], ...(transactionalId === undefined ? {} : { transactionalId }) }
  return asked('Produce', request, { left, answer: { partitions: [told] } })
}

function historyOf(...requests: EdgeRequest[]): History {
  const history = new History()
  addFromEdge(history, requests, new Set(['t']))
  return history
}

function found(anomaly: string, history: History): number {
  const left = { experiment: experimentOf(), history, views: [], groups: [], replicas: [], events: [], faults: [] }
  return CHECKERS.find((c) => c.anomaly === anomaly)!.check(new Facts(left)).count
}

describe('sends', () => {
  it('that were answered are certain, with their offsets', () => {
    const { sends } = historyOf(produced('x y', {}, 7))
    expect(sends.map((s) => [s.outcome, s.offset, s.seen?.digest])).toEqual([
      ['ok', 7, 'x'],
      ['ok', 8, 'y'],
    ])
  })

  it.each([
    ['whose answer never left', produced('x', {}, 7, false), 'no answer'],
    [
      'that were answered with an error, be it after they were written',
      produced('x', {}, 'REQUEST_TIMED_OUT'),
      'REQUEST_TIMED_OUT',
    ],
    ['that their broker died over', { ...produced('x', {}, 7), left: undefined, answer: undefined } as never, 'no answer'],
  ])('%s are open', (_, request, error) => {
    expect(historyOf(request).sends).toMatchObject([{ outcome: 'info', offset: null, error }])
  })

  it('to topics that nobody reads at the end are left out', () => {
    const history = new History()
    addFromEdge(history, [produced('x', {}, 7)], new Set(['u']))
    expect(history.sends).toEqual([])
  })

  it('are the same under the same sequence number, and others without one', () => {
    const numbered = { ...producer(5), sequence: 0 }
    expect(historyOf(produced('x', numbered, 7, false), produced('x', numbered, 7)).sends).toMatchObject([
      { outcome: 'ok', offset: 7 },
    ])
    const twice = historyOf(produced('x', {}, 7, false), produced('x', {}, 8))
    expect(twice.sends.map((s) => s.outcome)).toEqual(['info', 'ok'])
    const there = (offset: number) =>
      ({ op: 'read', process: 'final', ...T0, offset, key: '', value: 'v', at: 9, digest: 'x' }) as const
    twice.final.push(there(7), there(8))
    expect(found('duplicated', twice)).toBe(1)
    expect(found('lost', twice)).toBe(0)
  })
})

describe('transactions', () => {
  const id = { transactionalId: 'x', ...producer(5) }
  const begin = () => asked('AddPartitionsToTxn', { ...id, partitions: [T0] })
  const send = () => produced('x', { ...producer(5), sequence: 0, transactional: true }, 3, true, 'x')
  const end = (committed: boolean, more: Asked = {}) => asked('EndTxn', { ...id, committed }, more)
  const init = () => asked('InitProducerId', { transactionalId: 'x' })

  it.each([
    ['is committed when that was answered', [begin(), send(), end(true)], 'ok'],
    ['is open when it was not', [begin(), send(), end(true, { left: false })], 'info'],
    ['is committed when that was answered the second time', [begin(), send(), end(true, { left: false }), end(true)], 'ok'],
    ['is aborted', [begin(), send(), end(false)], 'fail'],
    ['is aborted when nobody asked for its commit, and another came', [begin(), send(), init()], 'fail'],
    ['is aborted when nobody ever ended it', [begin(), send()], 'fail'],
    [
      'is open when its end was refused',
      [begin(), send(), end(true, { answer: { error: 'REQUEST_TIMED_OUT' } }), init()],
      'info',
    ],
  ] as const)('%s', (_, requests, outcome) => {
    const { transactions, sends } = historyOf(...requests)
    expect(transactions).toMatchObject([{ id: 'app:1 x#0', outcome }])
    expect(sends).toMatchObject([{ transaction: 'app:1 x#0' }])
  })

  it('carries the positions that it was answered well about', () => {
    const positions = { ...id, group: 'g', partitions: [{ ...T0, offset: 9 }] }
    const refused = { answer: { partitions: [{ ...T0, error: 'ILLEGAL_GENERATION' }] } }
    const { transactions } = historyOf(begin(), asked('TxnOffsetCommit', positions), end(true))
    expect(transactions).toMatchObject([{ group: 'g', positions: [{ ...T0, offset: 9 }] }])
    expect(historyOf(asked('TxnOffsetCommit', positions, refused)).transactions).toMatchObject([{ positions: [] }])
  })
})

describe('members', () => {
  const of = (member: string, generation: number) => ({ group: 'g', member, generation })
  const synced = (member: string, generation: number) =>
    asked('SyncGroup', of(member, generation), { answer: { partitions: [T0] } })
  const beats = (member: string, generation: number) => asked('Heartbeat', of(member, generation))
  const commits = (member: string, generation: number, error?: string) =>
    asked(
      'OffsetCommit',
      { ...of(member, generation), partitions: [{ ...T0, offset: 5 }] },
      { answer: { partitions: [{ ...T0, ...(error === undefined ? {} : { error }) }] } },
    )

  it('hold what they were given for as long as the coordinator takes them for members', () => {
    const [first, second] = historyOf(
      synced('a', 1),
      beats('a', 1),
      asked('JoinGroup', of('a', 1)),
      synced('b', 2),
      beats('b', 2),
    ).holds
    expect(first).toMatchObject({ process: 'app:1 a', generation: 1 })
    expect(first!.ended! < second!.began).toBe(true)
  })

  it('that are confirmed while another has the same partition in their generation are found', () => {
    const two = historyOf(synced('a', 1), synced('b', 1), beats('a', 1))
    expect(found('twoOwners', two)).toBe(1)
    expect(found('twoOwners', historyOf(synced('a', 1), beats('a', 1), synced('b', 1)))).toBe(0)
  })

  it('that commit after their generation is over are found, but not those that were refused', () => {
    expect(found('fencedCommit', historyOf(synced('a', 1), synced('b', 2), commits('a', 1)))).toBe(1)
    expect(found('fencedCommit', historyOf(synced('a', 1), synced('b', 2), commits('a', 1, 'ILLEGAL_GENERATION')))).toBe(0)
  })

  it('of the newer protocol hold until they say that they have let go', () => {
    const beat = (
      member: string,
      owned: readonly EdgePartition[] | undefined,
      given: readonly EdgePartition[] | undefined,
      epoch: number,
    ) =>
      asked(
        'ConsumerGroupHeartbeat',
        { group: 'g', member, epoch, ...(owned ? { partitions: owned } : {}) },
        { answer: { epoch, ...(given ? { partitions: given } : {}) } },
      )
    const handed = historyOf(
      beat('a', [], [T0], 1),
      beat('a', undefined, [], 2),
      beat('a', [], undefined, 2),
      beat('b', [], [T0], 2),
    )
    expect(handed.holds).toHaveLength(2)
    expect(found('twoOwners', handed)).toBe(0)
    expect(
      found('twoOwners', historyOf(beat('a', [], [T0], 2), beat('b', [], [T0], 2), beat('a', undefined, undefined, 2))),
    ).toBe(1)
  })
})

it('what was fetched was given, and what was told is where a reader may go on', () => {
  const history = historyOf(
    asked('Fetch', { partitions: [{ ...T0, offset: 3 }] }, { answer: { partitions: [{ ...T0, from: 2, to: 6 }] } }),
    asked('ListOffsets', { partitions: [T0] }, { answer: { partitions: [{ ...T0, offset: 9 }] } }),
    asked('Fetch', { partitions: [T0] }, { left: false, answer: { partitions: [{ ...T0, from: 6, to: 8 }] } }),
  )
  expect(history.given.map((g) => [g.from, g.to])).toEqual([
    [2, 6],
    [9, 9],
  ])
})
