// Markers, positions in transactions, and coordinators that crash: between brokers.
import { Errors, listTransactions, type RequestInput } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { type Producer, TransactionScene } from './transaction-scene.ts'

const { INVALID_PRODUCER_EPOCH, NONE, UNKNOWN_SERVER_ERROR, UNKNOWN_TOPIC_OR_PARTITION, UNSTABLE_OFFSET_COMMIT } = Errors

const marker = (producerId: number, producerEpoch: number, coordinatorEpoch = 0, more: object = {}) => ({
  producerId,
  producerEpoch,
  coordinatorEpoch,
  transactionResult: true,
  transactionVersion: 0,
  topics: [{ name: 'a', partitionIndexes: [0] }],
  ...more,
})

describe('WriteTxnMarkers', () => {
  it('appends to each partition that is led here, and says what is wrong with the others', async () => {
    const one = await TransactionScene.start()
    const topics = [
      { name: 'a', partitionIndexes: [0, 1, 9] },
      { name: 'nothing', partitionIndexes: [0] },
      { name: '__consumer_offsets', partitionIndexes: [0, 77] },
    ]
    expect(await one.mark([marker(500, 0, 0, { topics })])).toEqual([
      '500 a-0 0',
      '500 a-1 0',
      `500 a-9 ${UNKNOWN_TOPIC_OR_PARTITION}`,
      `500 nothing-0 ${UNKNOWN_TOPIC_OR_PARTITION}`,
      '500 __consumer_offsets-0 0',
      `500 __consumer_offsets-77 ${UNKNOWN_TOPIC_OR_PARTITION}`,
    ])
    expect((await one.fetch()).batches).toEqual(['0 500/0 commit'])
  })

  it('of an older epoch or coordinator is refused, the same again is not', async () => {
    const one = await TransactionScene.start()
    const wrong = [
      [marker(500, 3, 5), NONE],
      [marker(500, 3, 5), NONE],
      [marker(500, 2, 5), INVALID_PRODUCER_EPOCH],
      [marker(500, 3, 4), Errors.TRANSACTION_COORDINATOR_FENCED],
      [marker(500, 4, 5), NONE],
      [marker(500, -1, 5), UNKNOWN_SERVER_ERROR],
      [marker(-1, 5, 5), UNKNOWN_SERVER_ERROR],
    ] as const
    for (const [one_, error] of wrong) expect(await one.mark([one_])).toEqual([`${one_.producerId} a-0 ${error}`])
    expect(await one.ends()).toEqual([3, 3])
  })

  it('since KIP-890 ends a transaction with a further epoch only', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    await one.produce(p, 0, { version: 12 })
    const bumped = { transactionVersion: 2 }
    expect(await one.mark([marker(p.producerId, 0, 0, bumped)])).toEqual([`${p.producerId} a-0 ${INVALID_PRODUCER_EPOCH}`])
    expect(await one.ends()).toEqual([1, 0])
    expect(await one.mark([marker(p.producerId, 1, 0, bumped)])).toEqual([`${p.producerId} a-0 0`])
    expect(await one.mark([marker(p.producerId, 1, 0, bumped)])).toEqual([`${p.producerId} a-0 0`])
    expect(await one.ends()).toEqual([3, 3])
  })

  it('has one answer for each partition of a producer, and none where there is nothing', async () => {
    const one = await TransactionScene.start()
    const both = { topics: [{ name: 'a', partitionIndexes: [0, 1] }] }
    const answers = await one.mark([marker(500, 0), marker(600, 0, 0, { topics: [] }), marker(500, 1, 0, both)])
    expect(answers).toEqual(['500 a-0 0', '500 a-1 0'])
    expect(await one.mark([])).toEqual([])
  })
})

describe('TxnOffsetCommit', () => {
  it.each([
    [3, Errors.INVALID_TXN_STATE],
    [4, Errors.TRANSACTION_ABORTABLE],
  ])('of version %i is part of a transaction that has the group', async (version, error) => {
    const one = await TransactionScene.start()
    const p = await one.init()
    expect(await one.commitOffset(p, 1, version)).toBe(error)
    expect(await one.addOffsets(p)).toBe(NONE)
    expect(await one.commitOffset(p, 7, version)).toBe(NONE)
    expect([await one.position(true), await one.position(false)]).toEqual([{ error: UNSTABLE_OFFSET_COMMIT }, { at: -1 }])
    await one.endAll(p, true)
    expect(await one.position(true)).toEqual({ at: 7 })
    expect(await one.commitOffset(p, 8, version)).toBe(error)
  })

  it('of version 5 makes the group part of it', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    expect(await one.commitOffset(p, 7, 5)).toBe(NONE)
    expect((await one.describe()).topics.map((t) => t.topic)).toEqual(['__consumer_offsets'])
    const next = await one.endAll(p, false, 5)
    expect(await one.position(true)).toEqual({ at: -1 })
    expect(await one.commitOffset(p, 8, 5)).toBe(INVALID_PRODUCER_EPOCH)
    expect(await one.commitOffset(next, 9, 5)).toBe(NONE)
    await one.endAll(next, true, 5)
    expect(await one.position(true)).toEqual({ at: 9 })
  })

  it('is refused to a member of before, to other producers, and without a group', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    await one.addOffsets(p)
    expect(await one.commitOffset(p, 1, 5, { generationIdOrMemberEpoch: 3, memberId: 'm' })).toBe(Errors.ILLEGAL_GENERATION)
    expect(await one.commitOffset(p, 1, 5, { groupId: '' })).toBe(Errors.INVALID_GROUP_ID)
    expect(await one.commitOffset({ ...p, producerId: p.producerId + 50 }, 1, 5)).toBe(Errors.INVALID_PRODUCER_ID_MAPPING)
    expect(await one.commitOffset({ ...p, producerEpoch: 9 }, 1, 5)).toBe(INVALID_PRODUCER_EPOCH)
  })
})

describe('a coordinator that crashes', () => {
  const settings = {
    'broker.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '200',
    'min.insync.replicas': '1',
    'replica.lag.time.max.ms': '1000',
  }

  it.each([4, 5])('has a successor that knows what was open, and ends it (EndTxn %i)', async (version) => {
    const one = await TransactionScene.start({ brokers: 3, settings })
    const first = await one.coordinator(1, 't')
    const away = 1 + (first % 3)
    const p = await open(one, first, version)
    one.scene.world.crash(first)
    let next = -1
    await one.until(async () => {
      next = await one.coordinator(1, 't', away)
      return next >= 0 && next !== first && one.scene.leaderOf('a') !== first
    })
    await one.until(async () => (await one.describe(next)).errorCode === NONE)
    expect(await one.describe(next)).toMatchObject({ transactionState: 'Ongoing', topics: [{ topic: 'a', partitions: [0] }] })
    // A new leader says where it ends when its followers have come.
    await one.until(async () => (await one.ends()).join() === '1,0')
    expect((await one.end(p, true, version, next)).errorCode).toBe(NONE)
    await one.until(async () => (await one.describe(next)).transactionState === 'CompleteCommit')
    expect(await one.ends()).toEqual([2, 2])
    const epoch = version >= 5 ? p.producerEpoch + 1 : p.producerEpoch
    expect((await one.fetch(1)).batches).toEqual([`1 ${p.producerId}/${epoch} commit`])
  })

  async function open(one: TransactionScene, coordinator: number, version: number): Promise<Producer> {
    const p = await one.init({}, coordinator)
    if (version < 5) expect(await one.add(p, { a: [0] }, 3, coordinator)).toEqual([NONE])
    expect(await one.produce(p, 0, { version: version >= 5 ? 12 : 11 })).toEqual({ at: 0 })
    return p
  }
})

describe('ListTransactions', () => {
  const all = async (one: TransactionScene, version: number, more: Partial<RequestInput<typeof listTransactions>>) => {
    const request = { stateFilters: [], producerIdFilters: [], ...more }
    const { errorCode, transactionStates } = await one.scene.ask(listTransactions, version, request)
    return errorCode === NONE ? transactionStates.map((t) => t.transactionalId).sort() : errorCode
  }

  it('finds by state, producer and time', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    await one.produce(p, 0, { version: 12 })
    one.transactionalId = 'u'
    const q = await one.init()
    await one.scene.pass(500)
    expect(await all(one, 0, {})).toEqual(['t', 'u'])
    expect(await all(one, 0, { stateFilters: ['Ongoing'] })).toEqual(['t'])
    expect(await all(one, 0, { producerIdFilters: [q.producerId] })).toEqual(['u'])
    expect(await all(one, 1, { producerIdFilters: [p.producerId], durationFilter: 400 })).toEqual(['t'])
    expect(await all(one, 1, { producerIdFilters: [p.producerId], durationFilter: 100_000 })).toEqual([])
  })
})
