// DeleteTopics, CreatePartitions, Metadata and DescribeTopicPartitions: what clients are told about topics that come, grow and go.
import {
  createPartitions,
  deleteTopics,
  describeTopicPartitions,
  Errors,
  metadata,
  type RequestInput,
  ZERO_UUID,
} from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAZg'

describe('DeleteTopics', () => {
  it('deletes by name and by id, and says what it cannot find', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a')
    const id = await scene.createTopic('b')
    const topics = [{ name: 'a' }, { name: null, topicId: id }, { name: 'c' }, { name: null, topicId: UNKNOWN_ID }]
    const { responses } = await scene.ask(deleteTopics, 6, { topics, timeoutMs: 5000 })
    expect(responses.map((r) => [r.name, r.errorCode])).toEqual([
      ['a', Errors.NONE],
      ['b', Errors.NONE],
      ['c', Errors.UNKNOWN_TOPIC_OR_PARTITION],
      [null, Errors.UNKNOWN_TOPIC_ID],
    ])
    expect((await scene.ask(metadata, 12, { topics: null })).topics).toEqual([])
  })

  it('refuses a topic without name and id, with both, and twice', async () => {
    const scene = await Scene.start()
    const id = await scene.createTopic('a')
    const topics = [{ name: null }, { name: 'a', topicId: id }, { name: 'a' }, { name: null, topicId: id }]
    const { responses } = await scene.ask(deleteTopics, 6, { topics, timeoutMs: 5000 })
    expect(responses.map((r) => r.errorCode)).toEqual([
      Errors.INVALID_REQUEST,
      Errors.INVALID_REQUEST,
      Errors.NONE,
      Errors.INVALID_REQUEST,
    ])
  })

  it.each([1, 2, 3, 4, 5])('answers version %i', async (version) => {
    const scene = await Scene.start()
    await scene.createTopic('a')
    const { responses } = await scene.ask(deleteTopics, version, { topicNames: ['a', 'b'], timeoutMs: 5000 })
    expect(responses.map((r) => r.errorCode)).toEqual([Errors.NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION])
  })

  it('deletes nothing where that is disabled', async () => {
    const scene = await Scene.start({ settings: { 'delete.topic.enable': 'false' } })
    await scene.createTopic('a')
    const codeAt = async (version: number) =>
      (await scene.ask(deleteTopics, version, { topicNames: ['a'], timeoutMs: 5000 })).responses[0]!.errorCode
    expect(await codeAt(5)).toBe(Errors.TOPIC_DELETION_DISABLED)
    expect(await codeAt(2)).toBe(Errors.INVALID_REQUEST)
  })

  it('makes room for a topic of the same name, which is another one', async () => {
    const scene = await Scene.start()
    const first = await scene.createTopic('a')
    await scene.produce('a', ['old'])
    await scene.ask(deleteTopics, 6, { topics: [{ name: 'a' }], timeoutMs: 5000 })
    const second = await scene.createTopic('a')
    expect(second).not.toBe(first)
    expect((await scene.fetch('a', 0)).records?.length).toBe(0)
  })
})

describe('CreatePartitions', () => {
  type Growth = NonNullable<RequestInput<typeof createPartitions>['topics']>[number]

  async function grown(...topics: Growth[]): Promise<{ scene: Scene; codes: number[] }> {
    const scene = await Scene.start({ brokers: 2 })
    await scene.createTopic('a', 2, 2)
    const asked = topics.map((topic) => ({ assignments: null, ...topic }))
    const { results } = await scene.ask(createPartitions, 3, { topics: asked, timeoutMs: 5000 })
    return { scene, codes: results.map((r) => r.errorCode) }
  }

  it('adds partitions, which keep the replication factor', async () => {
    const { scene, codes } = await grown({ name: 'a', count: 4 })
    expect(codes).toEqual([Errors.NONE])
    const partitions = scene.world.image!.topicsByName.get('a')!.partitions
    expect(partitions.map((p) => [...p.replicas].sort())).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
    ])
  })

  it.each([2, 1, 0, -1])('refuses to go from 2 to %i', async (count) => {
    expect((await grown({ name: 'a', count })).codes).toEqual([Errors.INVALID_PARTITIONS])
  })

  it('refuses an unknown topic, one that is said twice, and too many at once', async () => {
    expect((await grown({ name: 'b', count: 4 })).codes).toEqual([Errors.UNKNOWN_TOPIC_OR_PARTITION])
    const twice = await grown({ name: 'a', count: 3 }, { name: 'a', count: 4 })
    expect(twice.codes).toEqual([Errors.INVALID_REQUEST, Errors.INVALID_REQUEST])
    expect((await grown({ name: 'a', count: 0x7fff_ffff })).codes).toEqual([Errors.POLICY_VIOLATION])
  })

  it('places by hand as it is told', async () => {
    const by = (...lists: number[][]) => lists.map((brokerIds) => ({ brokerIds }))
    const good = await grown({ name: 'a', count: 3, assignments: by([2, 1]) })
    expect(good.codes).toEqual([Errors.NONE])
    expect(good.scene.world.image!.topicsByName.get('a')!.partitions[2]!.replicas).toEqual([2, 1])
    for (const assignments of [by([1, 2], [1, 2]), by([1]), by([1, 1]), by([1, 9]), by([])]) {
      expect((await grown({ name: 'a', count: 3, assignments })).codes).toEqual([Errors.INVALID_REPLICA_ASSIGNMENT])
    }
  })

  it('only validates when it is asked to', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a')
    const topics = [{ name: 'a', count: 3, assignments: null }]
    const { results } = await scene.ask(createPartitions, 3, { topics, timeoutMs: 5000, validateOnly: true })
    expect(results[0]!.errorCode).toBe(Errors.NONE)
    expect(scene.world.image!.topicsByName.get('a')!.partitions.length).toBe(1)
  })
})

describe('Metadata', () => {
  it('tells all topics for null, and in version 0 for none; none for none from version 1 on', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a')
    await scene.createTopic('b')
    const names = async (version: number, topics: null | []) =>
      (await scene.ask(metadata, version, { topics })).topics.map((t) => t.name).sort()
    expect(await names(0, [])).toEqual(['a', 'b'])
    expect(await names(1, null)).toEqual(['a', 'b'])
    expect(await names(1, [])).toEqual([])
    expect(await names(13, null)).toEqual(['a', 'b'])
  })

  it('tells by id, and by name', async () => {
    const scene = await Scene.start()
    const id = await scene.createTopic('a')
    const topics = [{ topicId: id, name: null }, { name: 'a' }, { topicId: UNKNOWN_ID, name: null }]
    const found = await scene.ask(metadata, 12, { topics })
    expect(found.topics.map((t) => [t.name, t.topicId, t.errorCode])).toEqual([
      ['a', id, Errors.NONE],
      ['a', id, Errors.NONE],
      [null, UNKNOWN_ID, Errors.UNKNOWN_TOPIC_ID],
    ])
  })

  it('refuses ids and missing names where a version has none', async () => {
    const scene = await Scene.start()
    const code = async (version: number, topic: { topicId?: string; name?: string | null }) =>
      (await scene.ask(metadata, version, { topics: [topic] })).topics[0]!.errorCode
    expect(await code(11, { name: null })).toBe(Errors.INVALID_REQUEST)
    expect(await code(11, { name: 'a', topicId: UNKNOWN_ID })).toBe(Errors.INVALID_REQUEST)
    expect(await code(12, { name: null })).toBe(Errors.INVALID_REQUEST)
  })

  it('creates what is asked for and missing, if it may', async () => {
    const scene = await Scene.start({ settings: { 'num.partitions': '3' } })
    const code = async (name: string, allowAutoTopicCreation: boolean) =>
      (await scene.ask(metadata, 12, { topics: [{ name }], allowAutoTopicCreation })).topics[0]!.errorCode
    expect(await code('a', false)).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await code('a', true)).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
    await scene.pass(100)
    expect(await code('a', true)).toBe(Errors.NONE)
    expect(scene.world.image!.topicsByName.get('a')!.partitions.length).toBe(3)
    expect(await code('no/name', true)).toBe(Errors.INVALID_TOPIC_EXCEPTION)
    // Versions before 4 cannot say no.
    expect((await scene.ask(metadata, 3, { topics: [{ name: 'b' }] })).topics[0]!.errorCode).toBe(
      Errors.UNKNOWN_TOPIC_OR_PARTITION,
    )
    await scene.pass(100)
    expect(await code('b', false)).toBe(Errors.NONE)
  })

  it('creates nothing where that is disabled', async () => {
    const scene = await Scene.start({ settings: { 'auto.create.topics.enable': 'false' } })
    await scene.ask(metadata, 12, { topics: [{ name: 'a' }] })
    await scene.pass(100)
    expect(scene.world.image!.topicsByName.size).toBe(0)
  })

  it('names brokers that are reachable, and a leader that is gone as not available', async () => {
    const scene = await Scene.start({
      brokers: 2,
      settings: { 'broker.session.timeout.ms': '1000', 'broker.heartbeat.interval.ms': '200' },
    })
    await scene.createTopic('a', 2, 1)
    const dead = scene.leaderOf('a', 0)
    const alive = 3 - dead
    scene.world.crash(dead)
    await scene.pass(3000)
    const found = await scene.ask(metadata, 12, { topics: null }, alive)
    expect(found.brokers.map((b) => b.nodeId)).toEqual([alive])
    const [partition] = found.topics[0]!.partitions.filter((p) => p.replicaNodes[0] === dead)
    expect(partition).toMatchObject({ errorCode: Errors.LEADER_NOT_AVAILABLE, leaderId: -1, offlineReplicas: [dead] })
  })
})

describe('DescribeTopicPartitions', () => {
  it('tells page by page, where the cursor goes on', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a', 3)
    await scene.createTopic('b', 2)
    const pages: [string, number[]][][] = []
    let cursor: { topicName: string; partitionIndex: number } | null = null
    do {
      const page = await scene.ask(describeTopicPartitions, 0, { topics: [], responsePartitionLimit: 2, cursor })
      pages.push(page.topics.map((t) => [t.name!, t.partitions.map((p) => p.partitionIndex)]))
      cursor = page.nextCursor as typeof cursor
    } while (cursor !== null)
    expect(pages).toEqual([
      [['a', [0, 1]]],
      [
        ['a', [2]],
        ['b', [0]],
      ],
      [['b', [1]]],
    ])
  })

  it('gives at least one partition, and at most what the server allows', async () => {
    const scene = await Scene.start({ settings: { 'max.request.partition.size.limit': '2' } })
    await scene.createTopic('a', 4)
    const count = async (responsePartitionLimit: number) =>
      (await scene.ask(describeTopicPartitions, 0, { topics: [], responsePartitionLimit })).topics[0]!.partitions.length
    expect(await count(0)).toBe(1)
    expect(await count(-7)).toBe(1)
    expect(await count(100)).toBe(2)
  })

  it('says what it does not know, and refuses a cursor that leads astray', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a')
    const codes = async (names: string[], cursor: { topicName: string; partitionIndex: number } | null) => {
      const topics = names.map((name) => ({ name }))
      return (await scene.ask(describeTopicPartitions, 0, { topics, cursor })).topics.map((t) => t.errorCode)
    }
    expect(await codes(['b', 'a'], null)).toEqual([Errors.NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION])
    expect(await codes(['a/b'], null)).toEqual([Errors.INVALID_TOPIC_EXCEPTION])
    expect(await codes(['a'], { topicName: 'a', partitionIndex: -1 })).toEqual([Errors.INVALID_REQUEST])
    expect(await codes(['a'], { topicName: 'b', partitionIndex: 0 })).toEqual([Errors.INVALID_REQUEST])
  })

  it('carries the eligible leader replicas', async () => {
    const scene = await Scene.start()
    const topicId = await scene.createTopic('a')
    const { topics } = await scene.ask(describeTopicPartitions, 0, { topics: [{ name: 'a' }] })
    expect(topics[0]).toMatchObject({ topicId, isInternal: false })
    expect(topics[0]!.topicId).not.toBe(ZERO_UUID)
    expect(topics[0]!.partitions[0]).toMatchObject({ eligibleLeaderReplicas: [], lastKnownElr: [], isrNodes: [1], leaderId: 1 })
  })
})
