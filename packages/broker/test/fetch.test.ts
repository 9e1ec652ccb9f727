// Fetch: limits, waiting, epochs, and what is said of partitions that are elsewhere.
import { Errors, fetch, type RequestInput, RecordBatch } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

type Request = RequestInput<typeof fetch>

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAZg'

/** Offsets of the batches in an answer. */
function batches(records: Uint8Array | null): number[] {
  const offsets: number[] = []
  for (let at = 0; records !== null && at < records.length;) {
    const batch = new RecordBatch(records, at)
    offsets.push(batch.baseOffset)
    at += batch.sizeInBytes
  }
  return offsets
}

async function threeBatches(): Promise<{ scene: Scene; size: number }> {
  const scene = await Scene.start()
  await scene.createTopic('a', 2)
  for (const value of ['x', 'y', 'z']) await scene.produce('a', [value.repeat(1000)])
  await scene.produce('a', ['w'.repeat(1000)], {}, 1)
  return { scene, size: (await scene.fetch('a', 2)).records!.length }
}

describe('how much is fetched', () => {
  it('is limited by partition and by request, in whole batches, but one batch comes always', async () => {
    const { scene, size } = await threeBatches()
    const ask = async (partitionMaxBytes: number, maxBytes: number) => {
      const partitions = [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes }))
      const { responses } = await scene.ask(fetch, 12, {
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes,
        topics: [{ topic: 'a', partitions }],
      })
      return responses[0]!.partitions.map((p) => batches(p.records))
    }
    expect(await ask(1 << 20, 1 << 20)).toEqual([[0, 1, 2], [0]])
    expect(await ask(2 * size, 1 << 20)).toEqual([[0, 1], [0]])
    expect(await ask(0, 1 << 20)).toEqual([[0], []])
    expect(await ask(1 << 20, 0)).toEqual([[0], []])
    expect(await ask(1 << 20, 3 * size)).toEqual([[0, 1, 2], []])
    expect(await ask(-5, -5)).toEqual([[0], []])
  })

  it('begins with the batch that holds the offset', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a')
    await scene.produce('a', ['x', 'y', 'z'])
    await scene.produce('a', ['w'])
    expect(batches((await scene.fetch('a', 1)).records)).toEqual([0, 3])
    expect(batches((await scene.fetch('a', 3)).records)).toEqual([3])
    expect(batches((await scene.fetch('a', 4)).records)).toEqual([])
  })

  it('is nothing before the start and after the end', async () => {
    const { scene } = await threeBatches()
    expect((await scene.fetch('a', 4)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    expect((await scene.fetch('a', -1)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    expect(await scene.fetch('a', 3)).toMatchObject({
      errorCode: Errors.NONE,
      highWatermark: 3,
      lastStableOffset: 3,
      logStartOffset: 0,
    })
  })
})

describe('a fetch that waits', () => {
  async function waits(more: Request, meanwhile: (scene: Scene) => Promise<unknown>): Promise<number> {
    const { scene } = await threeBatches()
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 3, partitionMaxBytes: 1 << 20 }] }]
    const began = scene.world.scheduler.now
    let took = -1
    const answer = scene
      .connect()
      .request(fetch, 12, { minBytes: 1, maxWaitMs: 2000, topics, ...more })
      .then(() => (took = scene.world.scheduler.now - began))
    await scene.pass(100)
    await meanwhile(scene)
    await scene.settle(answer)
    return took
  }

  it('ends when there is something', async () => {
    expect(await waits({}, (scene) => scene.produce('a', ['new']))).toBeLessThan(200)
  })

  it('goes on until there is enough', async () => {
    const twice = async (scene: Scene) => {
      await scene.produce('a', ['new'])
      await scene.pass(500)
      await scene.produce('a', ['n'.repeat(3000)])
    }
    const took = await waits({ minBytes: 2000 }, twice)
    expect(took).toBeGreaterThan(500)
    expect(took).toBeLessThan(800)
  })

  it('ends when its time is up', async () => {
    const took = await waits({}, async () => {})
    expect(took).toBeGreaterThanOrEqual(2000)
    expect(took).toBeLessThan(2050)
  })

  it('does not wait when it need not, or when something is wrong', async () => {
    const partition = (index: number) => ({ partition: index, fetchOffset: 3, partitionMaxBytes: 1 << 20 })
    for (const more of [
      { minBytes: 0 },
      { maxWaitMs: 0 },
      { maxWaitMs: -1 },
      { topics: [] },
      { topics: [{ topic: 'a', partitions: [partition(0), partition(7)] }] },
    ]) {
      expect(await waits(more, async () => {}), JSON.stringify(more)).toBeLessThanOrEqual(100)
    }
  })
})

describe('where a partition is', () => {
  it('is told by id from version 13 on', async () => {
    const { scene } = await threeBatches()
    const topicId = scene.world.image!.topicsByName.get('a')!.id
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
    const topics = [
      { topicId, partitions },
      { topicId: UNKNOWN_ID, partitions },
    ]
    const { responses } = await scene.ask(fetch, 17, { maxWaitMs: 0, topics })
    expect(responses.map((t) => [t.topicId, t.partitions[0]!.errorCode])).toEqual([
      [topicId, Errors.NONE],
      [UNKNOWN_ID, Errors.UNKNOWN_TOPIC_ID],
    ])
  })

  it('is unknown, led elsewhere, or led in another epoch', async () => {
    const scene = await Scene.start({ brokers: 2 })
    await scene.createTopic('a', 1, 1)
    const leader = scene.leaderOf('a')
    const ask = async (version: number, more: object, broker: number) => {
      const { id } = scene.world.image!.topicsByName.get('a')!
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100, ...more }]
      return scene.ask(fetch, version, { maxWaitMs: 0, topics: [{ topic: 'a', topicId: id, partitions }] }, broker)
    }
    const code = (reply: Awaited<ReturnType<typeof ask>>) => reply.responses[0]!.partitions[0]!.errorCode
    expect(code(await ask(12, { partition: 1 }, leader))).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
    expect(code(await ask(12, { currentLeaderEpoch: 5 }, leader))).toBe(Errors.UNKNOWN_LEADER_EPOCH)
    const elsewhere = await ask(16, {}, 3 - leader)
    expect(code(elsewhere)).toBe(Errors.NOT_LEADER_OR_FOLLOWER)
    expect(elsewhere.responses[0]!.partitions[0]!.currentLeader).toEqual({ leaderId: leader, leaderEpoch: 0 })
    expect(elsewhere.nodeEndpoints.map((n) => n.nodeId)).toEqual([leader])
    expect(code(await ask(4, {}, 3 - leader))).toBe(Errors.NOT_LEADER_OR_FOLLOWER)
  })

  it('may be a follower for clients from version 11 on', async () => {
    const scene = await Scene.start({ brokers: 2 })
    await scene.createTopic('a', 1, 2)
    await scene.produce('a', ['x'])
    await scene.pass(1000)
    const follower = 3 - scene.leaderOf('a')
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const at = async (version: number) =>
      (await scene.ask(fetch, version, { maxWaitMs: 0, topics }, follower)).responses[0]!.partitions[0]!
    expect((await at(10)).errorCode).toBe(Errors.NOT_LEADER_OR_FOLLOWER)
    expect(batches((await at(11)).records)).toEqual([0])
  })

  it('is told with where logs diverge', async () => {
    const { scene } = await threeBatches()
    const topics = [
      {
        topic: 'a',
        partitions: [{ partition: 0, fetchOffset: 3, lastFetchedEpoch: 0, partitionMaxBytes: 1000, currentLeaderEpoch: 0 }],
      },
    ]
    const same = await scene.ask(fetch, 12, { maxWaitMs: 0, topics })
    expect(same.responses[0]!.partitions[0]).toMatchObject({
      errorCode: Errors.NONE,
      divergingEpoch: { epoch: -1, endOffset: -1 },
    })
    const ahead = topics.map((t) => ({ ...t, partitions: t.partitions.map((p) => ({ ...p, fetchOffset: 9 })) }))
    const parted = await scene.ask(fetch, 12, { maxWaitMs: 5000, topics: ahead })
    expect(parted.responses[0]!.partitions[0]).toMatchObject({
      errorCode: Errors.NONE,
      divergingEpoch: { epoch: 0, endOffset: 3 },
    })
  })
})
