// Transactions as producers and consumers see them.
import { addPartitionsToTxn, describeProducers, Errors, produce } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { type Producer, TransactionScene } from './transaction-scene.ts'

const {
  CONCURRENT_TRANSACTIONS,
  INVALID_PRODUCER_EPOCH,
  INVALID_PRODUCER_ID_MAPPING,
  INVALID_TXN_STATE,
  NONE,
  OPERATION_NOT_ATTEMPTED,
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  PRODUCER_FENCED,
  TOPIC_AUTHORIZATION_FAILED,
  TRANSACTION_ABORTABLE,
  UNKNOWN_TOPIC_OR_PARTITION,
} = Errors

const later = ({ producerId, producerEpoch }: Producer, epochs: number) => ({ producerId, producerEpoch: producerEpoch + epochs })

describe('a transaction', () => {
  it('is not read before it is committed, and what came after it neither', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    expect(await one.add(p, { a: [0] })).toEqual([NONE])
    expect(await one.produce(p, 0, { records: 2 })).toEqual({ at: 0 })
    await one.scene.produce('a', ['plain'])
    expect(await one.ends()).toEqual([3, 0])
    expect(await one.fetch()).toEqual({ highWatermark: 3, lastStableOffset: 0, aborted: [], batches: [] })
    expect((await one.fetch(0, 0)).batches).toEqual([`0 ${p.producerId}/0 t`, '2 -1/-1'])
    await one.endAll(p, true)
    expect(await one.ends()).toEqual([4, 4])
    const batches = [`0 ${p.producerId}/0 t`, '2 -1/-1', `3 ${p.producerId}/0 commit`]
    expect(await one.fetch()).toEqual({ highWatermark: 4, lastStableOffset: 4, aborted: [], batches })
  })

  it('that is aborted is named to those who read what is committed, and to nobody else', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    await one.add(p, { a: [0, 1] })
    await one.produce(p, 0)
    await one.scene.produce('a', ['plain'])
    await one.produce(p, 1)
    await one.endAll(p, false)
    const aborted = [[p.producerId, 0]]
    for (const offset of [0, 1, 2, 3]) expect((await one.fetch(offset)).aborted).toEqual(aborted)
    expect((await one.fetch(4)).aborted).toEqual([])
    expect((await one.fetch(0, 0)).aborted).toBeNull()
    expect((await one.fetch(0, 1, 1)).batches).toEqual([`0 ${p.producerId}/0 abort`])
  })

  it('holds the last stable offset until the first that is open has ended', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    one.transactionalId = 'u'
    const q = await one.init()
    await one.add(q, { a: [0] })
    one.transactionalId = 't'
    await one.add(p, { a: [0] })
    await one.produce(p, 0)
    await one.produce(q, 0, { transactionalId: 'u' })
    one.transactionalId = 'u'
    await one.endAll(q, true)
    expect(await one.ends()).toEqual([3, 0])
    one.transactionalId = 't'
    await one.endAll(p, true)
    expect(await one.ends()).toEqual([4, 4])
  })

  it('is one that the partition knows of: DescribeProducers', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    await one.add(p, { a: [0] })
    await one.scene.produce('a', ['plain'])
    await one.produce(p, 0, { records: 3 })
    const topics = [{ name: 'a', partitionIndexes: [0, 7] }, ...['nothing', ''].map((name) => ({ name, partitionIndexes: [0] }))]
    const look = async () => (await one.scene.ask(describeProducers, 0, { topics })).topics.map((t) => t.partitions)
    const [[known, unknown], [nothing], [bad]] = (await look()) as never as [[never, { errorCode: number }], [never], [never]]
    const open = { ...later(p, 0), lastSequence: 2, coordinatorEpoch: -1, currentTxnStartOffset: 1 }
    expect(known).toMatchObject({ errorCode: NONE, activeProducers: [{ ...open, lastTimestamp: 1 }] })
    expect([unknown, nothing, bad]).toMatchObject([
      { errorCode: UNKNOWN_TOPIC_OR_PARTITION },
      { errorCode: UNKNOWN_TOPIC_OR_PARTITION },
      { errorCode: Errors.INVALID_TOPIC_EXCEPTION, errorMessage: expect.stringMatching(/./) },
    ])
    await one.endAll(p, true)
    const ended = { ...later(p, 0), coordinatorEpoch: 0, currentTxnStartOffset: -1 }
    expect((await look())[0]![0]!.activeProducers).toMatchObject([ended])
  })
})

describe('a batch of a transaction', () => {
  it.each([
    [9, INVALID_TXN_STATE],
    [10, INVALID_TXN_STATE],
    [11, TRANSACTION_ABORTABLE],
  ])('whose partition is not part of it is refused in words of version %i', async (version, error) => {
    const one = await TransactionScene.start()
    const p = await one.init()
    expect(await one.produce(p, 0, { version })).toEqual({ error })
    await one.add(p, { a: [1] })
    expect(await one.produce(p, 0, { version })).toEqual({ error })
    expect(await one.ends()).toEqual([0, 0])
  })

  it('since version 12 makes its partition part of it', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    expect(await one.produce(p, 0, { version: 12 })).toEqual({ at: 0 })
    expect(await one.produce(p, 0, { version: 12, partition: 1 })).toEqual({ at: 0 })
    expect(await one.describe()).toMatchObject({ transactionState: 'Ongoing', topics: [{ topic: 'a', partitions: [0, 1] }] })
    const next = await one.endAll(p, true, 5)
    expect(next).toMatchObject(later(p, 1))
    expect(await one.produce(p, 1, { version: 12 })).toEqual({ error: INVALID_PRODUCER_EPOCH })
    expect(await one.produce(next, 1, { version: 12 })).toEqual({ error: OUT_OF_ORDER_SEQUENCE_NUMBER })
    expect(await one.produce(next, 0, { version: 12 })).toEqual({ at: 2 })
  })

  it.each([10, 11, 12])('of another producer is refused, under this id or an unknown one (version %i)', async (version) => {
    const one = await TransactionScene.start()
    const p = await one.init()
    one.transactionalId = 'u'
    const q = await one.init()
    one.transactionalId = 't'
    expect(await one.produce(q, 0, { version })).toEqual({ error: INVALID_PRODUCER_ID_MAPPING })
    expect(await one.produce(p, 0, { version, transactionalId: 'nobody' })).toEqual({ error: INVALID_PRODUCER_ID_MAPPING })
    expect(await one.produce(later(p, 1), 0, { version })).toEqual({ error: INVALID_PRODUCER_EPOCH })
    expect((await one.describe()).transactionState).toBe('Empty')
  })

  it('fits what is there: sequences, epochs, and no batch outside of it', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    await one.add(p, { a: [0] })
    await one.produce(p, 0)
    expect(await one.produce(p, 0)).toEqual({ at: 0 })
    expect(await one.produce(p, 4)).toEqual({ error: OUT_OF_ORDER_SEQUENCE_NUMBER })
    expect(await one.produce(p, 1, { transactional: false, transactionalId: null })).toEqual({ error: INVALID_TXN_STATE })
    expect(await one.produce(p, 1, { transactionalId: null })).toEqual({ error: Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED })
    expect(await one.produce(p, 1)).toEqual({ at: 1 })
    await one.endAll(p, true)
    expect(await one.produce(p, 2)).toEqual({ error: TRANSACTION_ABORTABLE })
    expect(await one.ends()).toEqual([3, 3])
  })

  it('does not wait for others: each partition of a request has its own answer', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    await one.add(p, { a: [0] })
    const { scene } = one
    const good = await one.produce(p, 0)
    expect(good).toEqual({ at: 0 })
    const topicData = [{ name: 'a', partitionData: [0, 1, 5].map((index) => ({ index, records: null })) }]
    const { responses } = await scene.ask(produce, 11, { transactionalId: 't', acks: -1, timeoutMs: 5000, topicData })
    expect(responses[0]!.partitionResponses.map((r) => r.errorCode)).toEqual([87, 87, UNKNOWN_TOPIC_OR_PARTITION])
  })
})

describe('a producer that was replaced', () => {
  it.each([4, 5])('is fenced everywhere, its transaction aborted (version %i)', async (version) => {
    const one = await TransactionScene.start()
    const old = await one.init()
    await one.add(old, { a: [0] })
    await one.produce(old, 0)
    expect((await one.initOnce()).errorCode).toBe(CONCURRENT_TRANSACTIONS)
    const now = await one.init()
    expect(now).toMatchObject(later(old, 2))
    expect((await one.fetch()).aborted).toEqual([[old.producerId, 0]])
    expect((await one.fetch()).batches[1]).toBe(`1 ${old.producerId}/1 abort`)
    expect(await one.produce(old, 1)).toEqual({ error: INVALID_PRODUCER_EPOCH })
    expect((await one.end(old, true, version)).errorCode).toBe(PRODUCER_FENCED)
    expect(await one.add(old, { a: [0] })).toEqual([PRODUCER_FENCED])
    expect(await one.addOffsets(old)).toBe(PRODUCER_FENCED)
    expect(await one.commitOffset(old, 1)).toBe(INVALID_PRODUCER_EPOCH)
    expect((await one.initOnce(old)).errorCode).toBe(PRODUCER_FENCED)
  })

  it('hears of it in words that its version knows', async () => {
    const one = await TransactionScene.start()
    const old = await one.init()
    await one.init()
    expect(await one.add(old, { a: [0] }, 1)).toEqual([INVALID_PRODUCER_EPOCH])
    expect(await one.addOffsets(old, 'g', 1)).toBe(INVALID_PRODUCER_EPOCH)
    expect((await one.end(old, true, 1)).errorCode).toBe(INVALID_PRODUCER_EPOCH)
    expect((await one.initOnce(old, 3)).errorCode).toBe(INVALID_PRODUCER_EPOCH)
  })

  it('is fenced by time, too', async () => {
    const settings = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' }
    const one = await TransactionScene.start({ settings })
    const p = await one.init({ transactionTimeoutMs: 1000 })
    await one.produce(p, 0, { version: 12 })
    await one.scene.pass(3000)
    expect(await one.describe()).toMatchObject({ transactionState: 'CompleteAbort', ...later(p, 1) })
    expect(await one.produce(p, 1, { version: 12 })).toEqual({ error: INVALID_PRODUCER_EPOCH })
    expect(await one.ends()).toEqual([2, 2])
  })
})

describe('AddPartitionsToTxn', () => {
  it('takes all partitions or none', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    expect(await one.add(p, { a: [0, 9], nothing: [0] })).toEqual([
      OPERATION_NOT_ATTEMPTED,
      UNKNOWN_TOPIC_OR_PARTITION,
      UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect(await one.add(p, { a: [0], __consumer_offsets: [0] })).toEqual([OPERATION_NOT_ATTEMPTED, TOPIC_AUTHORIZATION_FAILED])
    expect((await one.describe()).transactionState).toBe('Empty')
  })

  it('of brokers is for many transactions, and may only look', async () => {
    const one = await TransactionScene.start()
    const p = await one.init()
    const topics = [
      { name: 'a', partitions: [0] },
      { name: 'none', partitions: [] },
    ]
    const claim = { transactionalId: 't', ...p, topics }
    const unknown = { ...claim, topics: [{ name: 'a', partitions: [0, 9] }], verifyOnly: true }
    const ask = async (...transactions: object[]) => {
      const { resultsByTransaction } = await one.scene.ask(addPartitionsToTxn, 5, { transactions: transactions as never })
      return resultsByTransaction.map((t) =>
        t.topicResults.flatMap((r) => r.resultsByPartition.map((x) => `${r.name}-${x.partitionIndex} ${x.partitionErrorCode}`)),
      )
    }
    const nobody = { ...claim, transactionalId: 'nobody', verifyOnly: true }
    expect(await ask({ ...claim, verifyOnly: true }, nobody, unknown)).toEqual([
      [`a-0 ${TRANSACTION_ABORTABLE}`],
      [`a-0 ${INVALID_PRODUCER_ID_MAPPING}`],
      [`a-0 ${OPERATION_NOT_ATTEMPTED}`, `a-9 ${UNKNOWN_TOPIC_OR_PARTITION}`],
    ])
    expect(await ask({ ...claim, verifyOnly: false })).toEqual([['a-0 0']])
    expect(await ask({ ...claim, verifyOnly: true })).toEqual([['a-0 0']])
  })
})
