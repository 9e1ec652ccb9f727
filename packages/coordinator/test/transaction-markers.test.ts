// From the decision to the end: markers, what they are answered, and coordinators that go in between.
import { Errors } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { PARTITION_GONE } from '../src/transaction/config.ts'
import { Call, settle } from './support.ts'
import { given, P, TestMarkers, TransactionWorld } from './transaction-support.ts'

const PARTITIONS = ['a-0', 'a-1', 'b-0']

/** A transaction on three partitions; its markers are held back. */
function open(): TransactionWorld {
  return new TransactionWorld([given({ at: PARTITIONS })], {}, { markers: new TestMarkers().hold() })
}

async function decided(committed = true, version = 4): Promise<TransactionWorld> {
  const world = open()
  expect((await world.end(P, committed, version)).error).toBe(Errors.NONE)
  expect(world.written).toHaveLength(1)
  return world
}

describe('markers', () => {
  it('of one transaction are of one kind and epoch, and name the coordinator', async () => {
    const world = await decided(false, 5)
    expect(world.markers.sent.map((m) => m.to)).toEqual(PARTITIONS)
    const end = { producerId: 7, producerEpoch: 6, committed: false, coordinatorEpoch: 1, transactionVersion: 2 }
    for (const marker of world.markers.sent) expect(marker.end).toEqual(end)
  })

  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ['NOT_LEADER_OR_FOLLOWER', Errors.NOT_LEADER_OR_FOLLOWER],
    ['NOT_ENOUGH_REPLICAS', Errors.NOT_ENOUGH_REPLICAS],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND],
    ['REQUEST_TIMED_OUT', Errors.REQUEST_TIMED_OUT],
    ['KAFKA_STORAGE_ERROR', Errors.KAFKA_STORAGE_ERROR],
    ['NETWORK_EXCEPTION', Errors.NETWORK_EXCEPTION],
    ['UNKNOWN_SERVER_ERROR', Errors.UNKNOWN_SERVER_ERROR],
  ] as const)('are written again after %s, for as long as it takes', async (_, error) => {
    const world = await decided()
    world.markers.release(Errors.NONE, 'a-0')
    world.markers.release(Errors.NONE, 'b-0')
    expect(world.markers.fresh).toHaveLength(3)
    for (let i = 0; i < 5; i++) {
      world.markers.release(error, 'a-1')
      expect(world.markers.fresh).toEqual([])
      world.clock.advance(20)
      expect(world.markers.fresh).toEqual(['a-1 commit 7/5'])
      expect(await world.state()).toBe('PrepareCommit')
    }
    world.markers.release(Errors.NONE)
    expect(world.written).toEqual(['CompleteCommit 7/5'])
  })

  it('on their way are not sent again while others are', async () => {
    const world = await decided()
    world.markers.release(Errors.NETWORK_EXCEPTION, 'a-0')
    void world.markers.fresh
    world.clock.advance(20)
    expect(world.markers.fresh).toEqual(['a-0 commit 7/5'])
  })

  it('are not owed to a partition whose topic is gone', async () => {
    const world = await decided()
    world.markers.release(PARTITION_GONE, 'a-0')
    world.markers.release(Errors.NONE, 'a-1')
    expect(await world.describe()).toMatchObject({ topics: [{ topic: 'b', partitions: [0] }] })
    world.markers.release(PARTITION_GONE, 'b-0')
    expect(world.written).toEqual(['CompleteCommit 7/5'])
  })

  it.each([
    ['another epoch', Errors.INVALID_PRODUCER_EPOCH],
    ['another coordinator', Errors.TRANSACTION_COORDINATOR_FENCED],
  ] as const)('that %s has overtaken are given up, and the rest with them', async (_, error) => {
    const world = await decided()
    void world.markers.fresh
    world.markers.release(error, 'a-0')
    world.markers.release(Errors.NONE)
    world.clock.advance(60_000)
    expect([world.written, world.markers.fresh, await world.state()]).toEqual([[], [], 'PrepareCommit'])
    expect(world.events.at(-1)).toEqual(['transaction.marker-refused', { partition: 0, transactionalId: 't', to: 'a-0', error }])
    expect(await world.endError(P, true)).toBe(Errors.CONCURRENT_TRANSACTIONS)
    world.markers.answer = () => Errors.NONE
    world.failOver()
    expect(world.written).toEqual(['CompleteCommit 7/5'])
  })

  it('that are answered twice, or for a transaction that is over, count once', async () => {
    const world = await decided()
    const [first, ...rest] = world.markers.sent
    first!.done(Errors.NONE)
    first!.done(Errors.NONE)
    first!.done(Errors.NOT_LEADER_OR_FOLLOWER)
    for (const { done } of rest) done(Errors.NONE)
    for (const { done } of rest) done(Errors.NETWORK_EXCEPTION)
    world.clock.advance(100)
    expect(world.written).toEqual(['CompleteCommit 7/5'])
    expect(world.markers.sent).toHaveLength(3)
  })

  it('wait until the decision cannot be lost, even when its own answer has timed out', async () => {
    const world = open()
    world.log.autoCommit = false
    const call = new Call(world.end(P, true))
    world.clock.advance(6000)
    await settle()
    expect([call.value?.error, world.markers.sent]).toEqual([Errors.COORDINATOR_NOT_AVAILABLE, []])
    world.log.commit()
    expect(world.markers.fresh).toHaveLength(3)
  })
})

describe('completion', () => {
  it('that the log refuses is tried again, and no marker is', async () => {
    const world = await decided()
    world.log.refuse = Errors.NOT_ENOUGH_REPLICAS
    world.markers.release(Errors.NONE)
    world.clock.advance(100)
    expect([world.written, await world.state()]).toEqual([[], 'PrepareCommit'])
    world.log.refuse = 0
    world.clock.advance(20)
    expect(world.written).toEqual(['CompleteCommit 7/5'])
    expect(world.markers.sent).toHaveLength(3)
  })

  it('lets whoever waited for it go on', async () => {
    const world = await decided()
    const next = new Call(world.add(P, ['a-0']))
    await settle()
    expect(next.answered).toBe(false)
    world.markers.release(Errors.NONE)
    await settle()
    expect([next.value, world.written]).toEqual([Errors.NONE, ['CompleteCommit 7/5', 'Ongoing 7/5 a-0']])
  })
})

describe('a coordinator that goes', () => {
  const next = (world: TransactionWorld) => {
    world.markers.answer = () => Errors.NONE
    void world.markers.fresh
    return () => ({ written: world.written, markers: world.markers.fresh })
  }
  const markers = ['a-0 commit 7/5', 'a-1 commit 7/5', 'b-0 commit 7/5']

  it('before it wrote a decision has decided nothing', async () => {
    const world = open()
    world.log.refuse = Errors.NOT_LEADER_OR_FOLLOWER
    expect(await world.endError(P, true)).toBe(Errors.NOT_COORDINATOR)
    const seen = next(world)
    world.failOver()
    expect([await world.state(), seen()]).toEqual(['Ongoing', { written: [], markers: [] }])
    expect(await world.endError(P, false)).toBe(Errors.NONE)
  })

  it('before its decision was committed may have decided nothing', async () => {
    const world = open()
    world.log.autoCommit = false
    const call = new Call(world.end(P, true))
    const seen = next(world)
    world.failOver()
    await settle()
    expect([call.value?.error, await world.state()]).toEqual([Errors.NOT_COORDINATOR, 'Ongoing'])
    expect(seen()).toEqual({ written: [], markers: [] })
  })

  it('before its decision was committed may have decided all the same', async () => {
    const world = open()
    world.log.autoCommit = false
    const call = new Call(world.end(P, true))
    const seen = next(world)
    world.failOver(world.log.endOffset)
    await settle()
    expect(call.value?.error).toBe(Errors.NOT_COORDINATOR)
    expect(seen()).toEqual({ written: ['CompleteCommit 7/5'], markers })
  })

  it.each([0, 1, 2, 3])('after %i of three markers: all are written again, by the next one', async (count) => {
    const world = await decided()
    for (const to of PARTITIONS.slice(0, count)) world.markers.release(Errors.NONE, to)
    if (count === 3) expect(world.written).toEqual(['CompleteCommit 7/5'])
    const old = [...world.markers.held]
    const seen = next(world)
    world.failOver(2)
    for (const { done } of old) done(Errors.NONE)
    expect(seen()).toEqual({ written: ['CompleteCommit 7/5'], markers })
    expect(world.markers.sent.at(-1)!.end.coordinatorEpoch).toBe(2)
  })

  it('after the end leaves nothing to do', async () => {
    const world = await decided()
    world.markers.release(Errors.NONE)
    const seen = next(world)
    world.failOver()
    expect([await world.state(), seen()]).toEqual(['CompleteCommit', { written: [], markers: [] }])
  })

  it('is not heard any more', async () => {
    const world = await decided()
    const { log } = world
    world.coordinator.runtime.resigned(0)
    world.markers.release(Errors.NONE)
    world.clock.advance(60_000)
    expect(log.records).toHaveLength(2)
  })

  it('while its successor loads has no answers', async () => {
    const world = open()
    world.elect(world.log)
    expect(await world.endError(P, true)).toBe(Errors.COORDINATOR_LOAD_IN_PROGRESS)
    expect(await world.add(P, ['a-0'])).toBe(Errors.COORDINATOR_LOAD_IN_PROGRESS)
    expect(await world.verify(P, 'a-0')).toBe(Errors.COORDINATOR_LOAD_IN_PROGRESS)
    expect(await world.describe()).toMatchObject({ errorCode: Errors.COORDINATOR_LOAD_IN_PROGRESS })
    expect((await world.list()).errorCode).toBe(Errors.COORDINATOR_LOAD_IN_PROGRESS)
  })

  it('leaves a producer that waits for it with an error to look elsewhere by', async () => {
    const world = await decided()
    const waits = new Call(world.add(P, ['c-0']))
    world.coordinator.runtime.resigned(0)
    await settle()
    expect(waits.value).toBe(Errors.NOT_COORDINATOR)
    expect(world.clock.timers).toBe(0)
  })
})
