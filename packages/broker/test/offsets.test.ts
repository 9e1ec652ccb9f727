// ListOffsets and OffsetForLeaderEpoch: where a partition begins, ends, and was at a time or an epoch.
import { deleteTopics, Errors, initProducerId, listOffsets, offsetForLeaderEpoch, type RequestInput } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const T = 1_700_000_000_000

/** Two batches: times T, T+1, then T+10, T+9 (the larger time first). */
async function written(): Promise<Scene> {
  const scene = await Scene.start()
  await scene.createTopic('a')
  await scene.produce('a', ['x', 'y'], { baseTimestamp: T })
  await scene.produce('a', ['z'], { baseTimestamp: T + 10 })
  await scene.produce('a', ['w'], { baseTimestamp: T + 9 })
  return scene
}

async function at(scene: Scene, timestamp: number, version = 11, more: Partial<RequestInput<typeof listOffsets>> = {}) {
  const topics = [{ name: 'a', partitions: [{ partitionIndex: 0, timestamp }] }]
  const request = { replicaId: -1, ...(version >= 2 ? { isolationLevel: 0 } : {}), topics, ...more }
  return (await scene.ask(listOffsets, version, request)).topics[0]!.partitions[0]!
}

describe('ListOffsets', () => {
  it('finds ends, and the first record that is not before a time', async () => {
    const scene = await written()
    const offsetAt = async (timestamp: number) => (await at(scene, timestamp)).offset
    expect(await offsetAt(EARLIEST)).toBe(0)
    expect(await offsetAt(EARLIEST_LOCAL)).toBe(0)
    expect(await offsetAt(LATEST)).toBe(4)
    expect(await offsetAt(LATEST_TIERED)).toBe(-1)
    expect(await at(scene, MAX_TIMESTAMP)).toMatchObject({ offset: 2, timestamp: T + 10 })
    expect(await at(scene, T - 5)).toMatchObject({ offset: 0, timestamp: T, leaderEpoch: 0 })
    expect(await at(scene, T + 1)).toMatchObject({ offset: 1, timestamp: T + 1 })
    expect(await at(scene, T + 2)).toMatchObject({ offset: 2, timestamp: T + 10 })
    expect(await at(scene, T + 11)).toMatchObject({ errorCode: Errors.NONE, offset: -1, timestamp: -1 })
  })

  it('knows each special time from its version on', async () => {
    const scene = await written()
    const since = [
      [MAX_TIMESTAMP, 7],
      [EARLIEST_LOCAL, 8],
      [LATEST_TIERED, 9],
      [-6, 11],
    ] as const
    for (const [timestamp, version] of since) {
      expect((await at(scene, timestamp, version)).errorCode).toBe(Errors.NONE)
      expect((await at(scene, timestamp, version - 1)).errorCode).toBe(Errors.UNSUPPORTED_VERSION)
    }
    expect((await at(scene, -7)).errorCode).toBe(Errors.UNSUPPORTED_VERSION)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])('answers version %i', async (version) => {
    const scene = await written()
    expect(await at(scene, LATEST, version)).toMatchObject({ errorCode: Errors.NONE, offset: 4 })
  })

  it('refuses partitions that it does not know, that are named twice, and other epochs', async () => {
    const scene = await written()
    const ask = async (...partitions: { partitionIndex: number; timestamp: number; currentLeaderEpoch?: number }[]) => {
      const reply = await scene.ask(listOffsets, 11, { replicaId: -1, isolationLevel: 0, topics: [{ name: 'a', partitions }] })
      return reply.topics[0]!.partitions.map((p) => p.errorCode)
    }
    const end = { partitionIndex: 0, timestamp: LATEST }
    expect(await ask({ ...end, partitionIndex: 1 })).toEqual([Errors.UNKNOWN_TOPIC_OR_PARTITION])
    expect(await ask(end, end)).toEqual([Errors.INVALID_REQUEST, Errors.INVALID_REQUEST])
    expect(await ask({ ...end, currentLeaderEpoch: 0 })).toEqual([Errors.NONE])
    expect(await ask({ ...end, currentLeaderEpoch: 1 })).toEqual([Errors.UNKNOWN_LEADER_EPOCH])
  })

  it('finds nothing in a topic that is gone', async () => {
    const scene = await written()
    await scene.ask(deleteTopics, 6, { topics: [{ name: 'a' }], timeoutMs: 5000 })
    expect((await at(scene, LATEST)).errorCode).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('is answered by the leader; for a debugging tool also by a follower', async () => {
    const scene = await Scene.start({ brokers: 2 })
    await scene.createTopic('a', 1, 2)
    await scene.produce('a', ['x'])
    const follower = 3 - scene.leaderOf('a')
    const ask = async (replicaId: number) => {
      const topics = [{ name: 'a', partitions: [{ partitionIndex: 0, timestamp: LATEST }] }]
      return (await scene.ask(listOffsets, 11, { replicaId, isolationLevel: 0, topics }, follower)).topics[0]!.partitions[0]!
    }
    expect((await ask(-1)).errorCode).toBe(Errors.NOT_LEADER_OR_FOLLOWER)
    expect(await ask(-2)).toMatchObject({ errorCode: Errors.NONE, offset: 1 })
  })
})

describe('OffsetForLeaderEpoch', () => {
  it('tells where epochs ended', async () => {
    const settings = { 'broker.session.timeout.ms': '1000', 'broker.heartbeat.interval.ms': '200' }
    const scene = await Scene.start({ brokers: 2, settings })
    await scene.createTopic('a', 1, 2)
    await scene.produce('a', ['x', 'y'])
    await scene.pass(1000)
    const first = scene.leaderOf('a')
    scene.world.crash(first)
    await scene.world.runUntil('another leader', () => scene.leaderOf('a') === 3 - first, 20_000)
    await scene.pass(200)
    await scene.produce('a', ['z'])
    const epoch = scene.world.image!.topicsByName.get('a')!.partitions[0]!.leaderEpoch
    expect(epoch).toBeGreaterThan(0)
    const end = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
      const topics = [{ topic: 'a', partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }]
      const { topics: found } = await scene.ask(offsetForLeaderEpoch, 4, { replicaId: -1, topics }, 3 - first)
      const { errorCode, leaderEpoch: of, endOffset } = found[0]!.partitions[0]!
      return [errorCode, of, endOffset]
    }
    expect(await end(0)).toEqual([Errors.NONE, 0, 2])
    expect(await end(epoch)).toEqual([Errors.NONE, epoch, 3])
    expect(await end(epoch + 1)).toEqual([Errors.NONE, -1, -1])
    expect(await end(0, 0)).toEqual([Errors.FENCED_LEADER_EPOCH, -1, -1])
    expect(await end(0, epoch + 1)).toEqual([Errors.UNKNOWN_LEADER_EPOCH, -1, -1])
  })
})

describe('InitProducerId', () => {
  it('gives each idempotent producer an id of its own', async () => {
    const scene = await Scene.start({ brokers: 2 })
    const ids: number[] = []
    for (const broker of [1, 2, 1, 2]) {
      const reply = await scene.ask(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 }, broker)
      expect(reply).toMatchObject({ errorCode: Errors.NONE, producerEpoch: 0 })
      ids.push(reply.producerId)
    }
    expect(new Set(ids).size).toBe(4)
  })

  it('refuses half an identity, and an empty transactional id', async () => {
    const scene = await Scene.start()
    const code = async (more: object) =>
      (await scene.ask(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0, ...more })).errorCode
    expect(await code({ producerId: 5 })).toBe(Errors.INVALID_REQUEST)
    expect(await code({ producerEpoch: 5 })).toBe(Errors.INVALID_REQUEST)
    expect(await code({ producerId: 5, producerEpoch: 5 })).toBe(Errors.NONE)
    expect(await code({ transactionalId: '' })).toBe(Errors.INVALID_REQUEST)
  })
})
