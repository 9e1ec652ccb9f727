// InitProducerId: who comes last owns the transactional id.
import { Errors } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { Call, settle } from './support.ts'
import { given, later, P, START, TransactionWorld } from './transaction-support.ts'

const refusal = (error: number) => ({ error, producerId: -1, producerEpoch: -1 })
const owner = (producerId: number, producerEpoch: number) => ({ error: 0, producerId, producerEpoch })

describe('InitProducerId of a transactional id', () => {
  it('that is new gives it a producer id with epoch 0, then the next epochs', async () => {
    const world = new TransactionWorld()
    expect(await world.init()).toEqual(owner(1000, 0))
    expect(world.written).toEqual(['Empty 1000/0'])
    expect(await world.init({ transactionTimeoutMs: 5000 })).toEqual(owner(1000, 1))
    expect(await world.describe()).toMatchObject({ transactionState: 'Empty', transactionTimeoutMs: 5000, producerEpoch: 1 })
    expect(await world.init({ transactionalId: 'other' })).toEqual(owner(1001, 0))
    expect(world.written).toEqual(['Empty 1000/1', 'other: Empty 1001/0'])
  })

  it('is refused where it makes no sense, and nothing is written', async () => {
    const world = new TransactionWorld([given()])
    const wrong = [
      [{ transactionalId: '' }, Errors.INVALID_REQUEST],
      [{ producerId: 7 }, Errors.INVALID_REQUEST],
      [{ producerEpoch: 5 }, Errors.INVALID_REQUEST],
      [{ transactionTimeoutMs: 0 }, Errors.INVALID_TRANSACTION_TIMEOUT],
      [{ transactionTimeoutMs: -1 }, Errors.INVALID_TRANSACTION_TIMEOUT],
      [{ transactionTimeoutMs: 900_001 }, Errors.INVALID_TRANSACTION_TIMEOUT],
      [{ transactionTimeoutMs: 0, producerId: 7 }, Errors.INVALID_REQUEST],
    ] as const
    for (const [more, error] of wrong) expect(await world.init(more)).toEqual(refusal(error))
    expect(world.written).toEqual([])
  })

  it('without one is anybody’s, at any timeout', async () => {
    const world = new TransactionWorld()
    expect(await world.init({ transactionalId: null, transactionTimeoutMs: -3 })).toEqual(owner(1000, 0))
    expect(world.written).toEqual([])
    world.ids.none = true
    expect(await world.init({ transactionalId: null })).toEqual(refusal(Errors.COORDINATOR_LOAD_IN_PROGRESS))
    expect(await world.init()).toEqual(refusal(Errors.COORDINATOR_LOAD_IN_PROGRESS))
  })

  it('is for the leader of its partition', async () => {
    const world = new TransactionWorld()
    world.coordinator.runtime.resigned(0)
    expect(await world.init()).toEqual(refusal(Errors.NOT_COORDINATOR))
    world.elect(world.log)
    expect(await world.init()).toEqual(refusal(Errors.COORDINATOR_LOAD_IN_PROGRESS))
  })

  it('changes nothing when the log refuses', async () => {
    const world = new TransactionWorld([given()])
    world.log.refuse = Errors.NOT_ENOUGH_REPLICAS
    expect(await world.init()).toEqual(refusal(Errors.COORDINATOR_NOT_AVAILABLE))
    world.log.refuse = 0
    expect(await world.init()).toEqual(owner(7, 6))
  })

  it('answers when its record is committed', async () => {
    const world = new TransactionWorld([given()])
    world.log.autoCommit = false
    const call = new Call(world.init())
    await settle()
    expect([call.answered, world.written]).toEqual([false, ['Empty 7/6']])
    world.log.commit()
    await settle()
    expect(call.value).toEqual(owner(7, 6))
  })
})

describe('InitProducerId of a producer that has an epoch (KIP-360)', () => {
  it.each([
    ['its own', P, owner(7, 6)],
    ['an older one', later(P, -1), refusal(Errors.PRODUCER_FENCED)],
    ['one to come', later(P, 1), refusal(Errors.PRODUCER_FENCED)],
    ['another id', { producerId: 8, producerEpoch: 5 }, refusal(Errors.PRODUCER_FENCED)],
  ])('%s', async (_, expected, answer) => {
    expect(await new TransactionWorld([given()]).init(expected)).toEqual(answer)
  })

  it('whose answer was lost gets the same again, until somebody else comes', async () => {
    const world = new TransactionWorld([given()])
    for (let i = 0; i < 3; i++) expect(await world.init(P)).toEqual(owner(7, 6))
    expect(await world.init()).toEqual(owner(7, 7))
    for (const e of [0, 1]) expect(await world.init(later(P, e))).toEqual(refusal(Errors.PRODUCER_FENCED))
    expect(await world.init(later(P, 2))).toEqual(owner(7, 8))
  })

  it('whose answer was lost with the coordinator is fenced', async () => {
    const world = new TransactionWorld([given()])
    await world.init(P)
    world.failOver()
    expect(await world.init(P)).toEqual(refusal(Errors.PRODUCER_FENCED))
    expect(await world.init(later(P, 1))).toEqual(owner(7, 7))
  })

  it('begins anew where its transactional id is not known any more', async () => {
    const world = new TransactionWorld()
    expect(await world.init({ producerId: 3, producerEpoch: 9 })).toEqual(owner(1000, 0))
    expect(await world.init({ producerId: 3, producerEpoch: 9 })).toEqual(refusal(Errors.PRODUCER_FENCED))
  })
})

describe('InitProducerId while a transaction is open', () => {
  it('aborts it under the next epoch, and gives one when that is done', async () => {
    const world = new TransactionWorld([given({ at: ['a-0', 'b-1'] })])
    world.markers.hold()
    expect(await world.init()).toEqual(refusal(Errors.CONCURRENT_TRANSACTIONS))
    expect(world.written).toEqual(['PrepareAbort 7/6 a-0,b-1 v2'])
    expect(world.markers.fresh).toEqual(['a-0 abort 7/6', 'b-1 abort 7/6'])
    expect(await world.init()).toEqual(refusal(Errors.CONCURRENT_TRANSACTIONS))
    expect(await world.init({ producerId: 99, producerEpoch: 0 })).toEqual(refusal(Errors.CONCURRENT_TRANSACTIONS))
    world.markers.release(Errors.NONE)
    expect(world.written).toEqual(['CompleteAbort 7/6 v2'])
    expect(await world.init()).toEqual(owner(7, 7))
  })

  it('of the owner does the same, and its epoch of before is a retry', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'] })])
    expect(await world.init(P)).toEqual(refusal(Errors.CONCURRENT_TRANSACTIONS))
    expect(await world.init(P)).toEqual(owner(7, 6))
  })

  it('of a fenced producer leaves the transaction alone', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'] })])
    expect(await world.init({ producerId: 8, producerEpoch: 5 })).toEqual(refusal(Errors.PRODUCER_FENCED))
    expect([world.written, await world.state()]).toEqual([[], 'Ongoing'])
  })

  it('says what the log says when the abort cannot be written', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'] })])
    world.log.refuse = Errors.NOT_LEADER_OR_FOLLOWER
    expect(await world.init()).toEqual(refusal(Errors.NOT_COORDINATOR))
    expect([await world.state(), world.markers.sent]).toEqual(['Ongoing', []])
  })
})

describe('epochs that run out', () => {
  const LAST = 32_766

  it('lead to a new producer id', async () => {
    const world = new TransactionWorld([given({ producerEpoch: LAST - 1 })])
    expect(await world.init()).toEqual(owner(7, LAST))
    expect(await world.init()).toEqual(owner(1000, 0))
    expect(world.written).toEqual([`Empty 7/${LAST}`, 'Empty 1000/0 before 7'])
  })

  it('leave a retry of the old id its new one, and nobody else', async () => {
    const world = new TransactionWorld([given({ producerEpoch: LAST })])
    const old = { producerId: 7, producerEpoch: LAST }
    for (let i = 0; i < 2; i++) expect(await world.init(old)).toEqual(owner(1000, 0))
    expect(await world.init({ producerId: 7, producerEpoch: LAST - 1 })).toEqual(refusal(Errors.PRODUCER_FENCED))
    expect(await world.init({ producerId: 6, producerEpoch: LAST })).toEqual(refusal(Errors.PRODUCER_FENCED))
  })

  it('wait for a producer id to be had', async () => {
    const world = new TransactionWorld([given({ producerEpoch: LAST })])
    world.ids.none = true
    expect(await world.init()).toEqual(refusal(Errors.COORDINATOR_LOAD_IN_PROGRESS))
    expect(world.written).toEqual([])
  })

  it('while a transaction is open: the marker has the last epoch of all, and a new id comes with completion', async () => {
    const world = new TransactionWorld([given({ producerEpoch: LAST, at: ['a-0'] })])
    expect(await world.init()).toEqual(refusal(Errors.CONCURRENT_TRANSACTIONS))
    expect(world.markers.fresh).toEqual([`a-0 abort 7/${LAST + 1}`])
    expect(world.written).toEqual([`PrepareAbort 7/${LAST + 1} a-0 next 1000 v2`, 'CompleteAbort 1000/0 before 7 v2'])
    expect(await world.init()).toEqual(owner(1000, 1))
  })

  it('are looked at again when the producer id came: meanwhile anything may have happened', async () => {
    const world = new TransactionWorld([given({ producerEpoch: LAST })])
    const all = await Promise.all([world.init(), world.init(), world.init()])
    expect(all.map((a) => `${a.error} ${a.producerId}/${a.producerEpoch}`)).toEqual(['0 1000/0', '0 1000/1', '0 1000/2'])
  })
})

it('events tell each change of state', async () => {
  const world = new TransactionWorld()
  const { producerId, producerEpoch } = await world.init()
  await world.add({ producerId, producerEpoch }, ['a-0'])
  await world.add({ producerId, producerEpoch }, ['a-1'])
  await world.end({ producerId, producerEpoch }, true)
  const states = world.events.flatMap(([name, fields]) => (name === 'transaction.state' ? [fields['state']] : []))
  expect(states).toEqual(['Empty', 'Ongoing', 'PrepareCommit', 'CompleteCommit'])
  expect((await world.describe()).transactionStartTimeMs).toBe(START)
})
