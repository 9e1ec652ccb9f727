// DeleteRecords: what is gone, for whom, and when it is answered (KIP-107).
import { deleteRecords, Errors, fetch, listOffsets } from '@faultline/protocol'
import { QUICK_FAILURES } from '@faultline/sim'
import { describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

const EARLIEST = -2
const HIGH_WATERMARK = -1

/** A topic "a" of three records, on three brokers. */
async function start(settings: Record<string, string> = {}, configs: Record<string, string> = {}): Promise<Scene> {
  const scene = await Scene.start({ brokers: 3, settings: { ...QUICK_FAILURES, ...settings } })
  await scene.createTopic('a', 1, 3, configs)
  await scene.produce('a', ['0', '1', '2'])
  return scene
}

async function remove(scene: Scene, offset: number, { version = 2, timeoutMs = 10_000, broker = scene.leaderOf('a') } = {}) {
  const topics = [{ name: 'a', partitions: [{ partitionIndex: 0, offset }] }]
  const reply = await scene.ask(deleteRecords, version, { topics, timeoutMs }, broker)
  const { errorCode, lowWatermark } = reply.topics[0]!.partitions[0]!
  return { errorCode, lowWatermark }
}

function starts(scene: Scene): (number | undefined)[] {
  return scene.world.brokerIds.map((id) => scene.world.broker(id)?.replicas.byName('a', 0)?.log.logStartOffset)
}

const done = (lowWatermark: number) => ({ errorCode: Errors.NONE, lowWatermark })
const refused = (errorCode: number) => ({ errorCode, lowWatermark: -1 })

describe('DeleteRecords', () => {
  it.each([0, 1, 2])('is answered when no replica has them any more (version %i)', async (version) => {
    const scene = await start()
    expect(await remove(scene, 2, { version })).toEqual(done(2))
    expect(starts(scene)).toEqual([2, 2, 2])
    expect((await scene.fetch('a', 1)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    expect((await scene.fetch('a', 2)).errorCode).toBe(Errors.NONE)
    const asked = [{ name: 'a', partitions: [{ partitionIndex: 0, timestamp: EARLIEST }] }]
    const { topics } = await scene.ask(listOffsets, 7, { replicaId: -1, topics: asked }, scene.leaderOf('a'))
    expect(topics[0]!.partitions[0]!.offset).toBe(2)
    expect(await remove(scene, 1, { version })).toEqual(done(2))
    expect(await remove(scene, HIGH_WATERMARK, { version })).toEqual(done(3))
    expect((await scene.produce('a', ['3'])).baseOffset).toBe(3)
  })

  it('does not wait for a broker that is fenced, which follows when it is back', async () => {
    const scene = await start()
    const { world } = scene
    const gone = world.brokerIds.find((id) => id !== scene.leaderOf('a'))!
    world.crash(gone)
    await world.runUntil('fenced', () => world.image!.brokers.get(gone)!.fenced, 10_000)
    expect(await remove(scene, 2)).toEqual(done(2))
    world.startBroker(gone)
    await world.runUntil('its start', () => starts(scene).every((offset) => offset === 2), 30_000)
  })

  it('says that time is up while a follower has them; they are gone all the same', async () => {
    const scene = await start({ 'broker.session.timeout.ms': '9000' })
    const { world } = scene
    const leader = scene.leaderOf('a')
    for (const id of world.brokerIds) world.peers.cut(id, leader, 'replication')
    expect(await remove(scene, 2, { timeoutMs: 300 })).toEqual({ errorCode: Errors.REQUEST_TIMED_OUT, lowWatermark: 0 })
    expect((await scene.fetch('a', 1)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    world.peers.heal()
    expect(await remove(scene, 2)).toEqual(done(2))
  })

  it('refuses what is not there, not led here, internal, or only compacted', async () => {
    const scene = await start()
    await scene.createTopic('c', 1, 3, { 'cleanup.policy': 'compact' })
    await scene.createTopic('b', 1, 3, { 'cleanup.policy': 'compact,delete' })
    expect(await remove(scene, 4)).toEqual(refused(Errors.OFFSET_OUT_OF_RANGE))
    expect(await remove(scene, -2)).toEqual(refused(Errors.OFFSET_OUT_OF_RANGE))
    const follower = scene.world.brokerIds.find((id) => id !== scene.leaderOf('a'))!
    expect(await remove(scene, 1, { broker: follower })).toEqual(refused(Errors.NOT_LEADER_OR_FOLLOWER))
    expect(starts(scene)).toEqual([0, 0, 0])
    const code = async (name: string, partitionIndex: number) => {
      const topics = [{ name, partitions: [{ partitionIndex, offset: 0 }] }]
      const broker = scene.world.image!.topicsByName.has(name) ? scene.leaderOf(name) : 1
      return (await scene.ask(deleteRecords, 2, { topics, timeoutMs: 5000 }, broker)).topics[0]!.partitions[0]!.errorCode
    }
    expect(await code('nope', 0)).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await code('a', 5)).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await code('c', 0)).toBe(Errors.POLICY_VIOLATION)
    expect(await code('b', 0)).toBe(Errors.NONE)
    await scene.createTopic('__consumer_offsets', 1, 3)
    expect(await code('__consumer_offsets', 0)).toBe(Errors.INVALID_TOPIC_EXCEPTION)
  })

  it('holds after a restart', async () => {
    const scene = await start()
    const { world } = scene
    expect(await remove(scene, 2)).toEqual(done(2))
    const leader = scene.leaderOf('a')
    await scene.pass(70_000)
    world.crash(leader)
    world.startBroker(leader)
    await world.runUntil('its log', () => world.broker(leader)?.replicas.byName('a', 0) !== undefined, 30_000)
    expect(starts(scene)).toEqual([2, 2, 2])
  })

  it('is told of a consumer that waits: it hears that its offset is out of range when it asks again', async () => {
    const scene = await start()
    expect(await remove(scene, HIGH_WATERMARK)).toEqual(done(3))
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const reply = await scene.ask(fetch, 12, { maxWaitMs: 500, minBytes: 1, topics }, scene.leaderOf('a'))
    expect(reply.responses[0]!.partitions[0]).toMatchObject({ errorCode: Errors.OFFSET_OUT_OF_RANGE, logStartOffset: 3 })
  })
})
