// What time does to transactions: open ones are aborted, unused ids forgotten. And what administrators see.
import { Errors } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { settle } from './support.ts'
import { given, later, P, START, TestMarkers, TRANSACTION_CONFIG, TransactionWorld } from './transaction-support.ts'

const { abortCheckMs, expirationMs, expirationCheckMs } = TRANSACTION_CONFIG

describe('a transaction that is open for too long', () => {
  it('is aborted at the next look, and its producer fenced', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'], timeoutMs: 25_000 })])
    world.clock.advance(2 * abortCheckMs)
    expect([world.written, world.markers.sent]).toEqual([[], []])
    world.clock.advance(abortCheckMs)
    expect(world.written).toEqual(['PrepareAbort 7/6 a-0 v2', 'CompleteAbort 7/6 v2'])
    expect(world.markers.fresh).toEqual(['a-0 abort 7/6'])
    expect(world.events.map(([name]) => name)).toContain('transaction.timed-out')
    expect(await world.endError(P, true)).toBe(Errors.PRODUCER_FENCED)
    expect(await world.add(P, ['a-0'])).toBe(Errors.PRODUCER_FENCED)
    expect(await world.init(P)).toEqual({ error: 0, producerId: 7, producerEpoch: 6 })
  })

  it('since KIP-890 is aborted for its producer, too: the abort that it may ask for has happened', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'], timeoutMs: 1 })])
    world.clock.advance(abortCheckMs)
    expect(await world.endError(P, true, 5)).toBe(Errors.INVALID_TXN_STATE)
    expect(await world.end(P, false, 5)).toEqual({ error: 0, producerId: 7, producerEpoch: 6 })
  })

  it('is not looked at in any other state', async () => {
    const states = ['Empty', 'CompleteCommit', 'CompleteAbort'] as const
    const records = states.map((state, i) => given({ transactionalId: `t${i}`, state, timeoutMs: 1, startTimestamp: START }))
    const world = new TransactionWorld(records)
    world.clock.advance(10 * abortCheckMs)
    expect(world.written).toEqual([])
  })

  it('is aborted once, however long the markers take', async () => {
    const markers = new TestMarkers().hold()
    const world = new TransactionWorld([given({ at: ['a-0'], timeoutMs: 1 })], {}, { markers })
    world.clock.advance(10 * abortCheckMs)
    expect([world.written, world.markers.fresh]).toEqual([['PrepareAbort 7/6 a-0 v2'], ['a-0 abort 7/6']])
  })

  it('is aborted at a later look when the log refuses', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'], timeoutMs: 1 })])
    world.log.refuse = Errors.NOT_ENOUGH_REPLICAS
    world.clock.advance(3 * abortCheckMs)
    expect(await world.describe()).toMatchObject({ transactionState: 'Ongoing', producerEpoch: 5 })
    world.log.refuse = 0
    world.clock.advance(abortCheckMs)
    expect(world.written).toEqual(['PrepareAbort 7/6 a-0 v2', 'CompleteAbort 7/6 v2'])
  })

  it('and whose epochs are used up gets a new producer id, when there is one', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'], timeoutMs: 1, producerEpoch: 32_766 })])
    world.ids.none = true
    world.clock.advance(abortCheckMs)
    await settle()
    expect(await world.state()).toBe('Ongoing')
    world.ids.none = false
    world.clock.advance(abortCheckMs)
    await settle()
    expect(world.written).toEqual(['PrepareAbort 7/32767 a-0 next 1000 v2', 'CompleteAbort 1000/0 before 7 v2'])
  })

  it('that ended while a producer id was fetched for it is left alone', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'], timeoutMs: 1, producerEpoch: 32_766 })])
    world.clock.advance(abortCheckMs)
    await world.end({ producerId: 7, producerEpoch: 32_766 }, true)
    await settle()
    expect(world.written).toEqual(['PrepareCommit 7/32766 a-0', 'CompleteCommit 7/32766'])
  })
})

describe('an id that nobody uses', () => {
  it('is forgotten after its time, unless a transaction is open or ends', async () => {
    const states = ['Empty', 'CompleteCommit', 'CompleteAbort'] as const
    const idle = states.map((state, i) => given({ transactionalId: `t${i}`, state }))
    const open = given({ transactionalId: 'open', at: ['a-0'], timeoutMs: 2 ** 31 - 1 })
    const ending = given({ transactionalId: 'ending', state: 'PrepareCommit', at: ['a-0'] })
    const world = new TransactionWorld([...idle, open, ending], {}, { markers: new TestMarkers().hold() })
    world.clock.advance(expirationMs - expirationCheckMs)
    expect(world.written).toEqual([])
    world.clock.advance(expirationCheckMs)
    expect(world.written).toEqual(['t0: gone', 't1: gone', 't2: gone'])
    expect(await world.describe('t0')).toMatchObject({ errorCode: Errors.TRANSACTIONAL_ID_NOT_FOUND })
    expect(await world.endError(P, true, 4, 't1')).toBe(Errors.INVALID_PRODUCER_ID_MAPPING)
  })

  it('is used by every InitProducerId', async () => {
    const world = new TransactionWorld([given()])
    world.clock.advance(expirationMs - expirationCheckMs)
    await world.init()
    world.clock.advance(expirationMs - 1)
    expect(await world.state()).toBe('Empty')
    world.clock.advance(expirationCheckMs)
    expect((await world.describe()).errorCode).toBe(Errors.TRANSACTIONAL_ID_NOT_FOUND)
    expect(await world.init(later(P, 1))).toEqual({ error: 0, producerId: 1000, producerEpoch: 0 })
  })

  it('is forgotten at a later look when the log refuses, in as many batches as it takes', async () => {
    const all = Array.from({ length: 300 }, (_, i) => given({ transactionalId: `t${i}` }))
    const world = new TransactionWorld(all)
    world.log.refuse = Errors.NOT_ENOUGH_REPLICAS
    world.clock.advance(expirationMs)
    expect((await world.shard()).transactions.size).toBe(300)
    world.log.refuse = 0
    world.log.maxBatchBytes = 1000
    world.clock.advance(expirationCheckMs)
    expect([(await world.shard()).transactions.size, world.written.length]).toEqual([0, 300])
  })
})

describe('DescribeTransactions', () => {
  it('tells of each id, and of those that are not there', async () => {
    const world = new TransactionWorld([given({ at: ['a-0', 'a-2', 'b-1'] })])
    const { transactionStates } = await world.coordinator.describeTransactions({ transactionalIds: ['t', 'nobody', '', 't'] })
    expect(transactionStates!.map((t) => t.errorCode)).toEqual([0, Errors.TRANSACTIONAL_ID_NOT_FOUND, Errors.INVALID_REQUEST, 0])
    expect(transactionStates![0]).toEqual({
      errorCode: 0,
      transactionalId: 't',
      transactionState: 'Ongoing',
      transactionTimeoutMs: 60_000,
      transactionStartTimeMs: START,
      producerId: 7,
      producerEpoch: 5,
      topics: [
        { topic: 'a', partitions: [0, 2] },
        { topic: 'b', partitions: [1] },
      ],
    })
  })
})

describe('ListTransactions', () => {
  const world = () =>
    new TransactionWorld([
      given({ transactionalId: 'open', at: ['a-0'], timeoutMs: 2 ** 31 - 1 }),
      given({ transactionalId: 'done', state: 'CompleteCommit', producerId: 8, startTimestamp: START - 5000 }),
      given({ transactionalId: 'idle', producerId: 9 }),
    ])

  it.each([
    [{}, ['open', 'done', 'idle']],
    [{ stateFilters: ['Ongoing', 'Empty'] }, ['open', 'idle']],
    [{ stateFilters: ['Dead', 'PrepareEpochFence'] }, []],
    [{ producerIdFilters: [8, 9, -1] }, ['done', 'idle']],
    [{ producerIdFilters: [5] }, []],
    [{ stateFilters: ['Ongoing'], producerIdFilters: [8] }, []],
    [{ durationFilter: 0 }, ['open', 'done', 'idle']],
    [{ durationFilter: 1000, producerIdFilters: [7, 8] }, ['done']],
    [{ durationFilter: 5001, producerIdFilters: [7, 8] }, []],
    [{ durationFilter: -7 }, ['open', 'done', 'idle']],
  ])('%o finds %o', async (filters, found) => {
    const tested = world()
    tested.clock.advance(1)
    const { errorCode, transactionStates } = await tested.list(filters)
    expect([errorCode ?? 0, transactionStates!.map((t) => t.transactionalId)]).toEqual([0, found])
  })

  it('names each state that it does not know once, and takes them for filters', async () => {
    const { unknownStateFilters, transactionStates } = await world().list({ stateFilters: ['ongoing', 'Nope', 'Nope'] })
    expect([unknownStateFilters, transactionStates]).toEqual([['ongoing', 'Nope'], []])
  })

  it.each([
    ['i.*', ['idle']],
    ['idl', []],
    ['(?i)IDLE|\\p{L}pen', ['open', 'idle']],
    ['', ['open', 'done', 'idle']],
  ])('finds ids that are %s as a whole', async (transactionalIdPattern, found) => {
    const { transactionStates } = await world().list({ transactionalIdPattern })
    expect(transactionStates!.map((t) => t.transactionalId)).toEqual(found)
  })

  it.each(['a[', '(?=a)b', '(a)\\1', 'x'.repeat(5000)])('refuses what is no pattern of RE2', async (transactionalIdPattern) => {
    const answer = await world().list({ transactionalIdPattern, stateFilters: ['Nope'] })
    expect(answer).toEqual({ errorCode: Errors.INVALID_REGULAR_EXPRESSION })
  })
})
