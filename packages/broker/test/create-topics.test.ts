// CreateTopics: what Kafka answers, and what is there afterwards.
import { createTopics, Errors, metadata, type RequestInput, ZERO_UUID } from '@faultline/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { pairs, Scene } from './scene.ts'

type Topic = NonNullable<RequestInput<typeof createTopics>['topics']>[number]

let scene: Scene
beforeAll(async () => {
  scene = await Scene.start({ brokers: 3, settings: { 'num.partitions': '4', 'default.replication.factor': '2' } })
  await scene.createTopic('there.already')
})

const LAID_OUT = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }

async function create(topics: readonly Topic[], more: Partial<RequestInput<typeof createTopics>> = {}, version = 7) {
  const filled = topics.map((topic) => ({ ...LAID_OUT, ...topic }))
  return (await scene.ask(createTopics, version, { timeoutMs: 5000, ...more, topics: filled })).topics
}

async function codeOf(topic: Topic): Promise<number> {
  return (await create([topic], { validateOnly: true }))[0]!.errorCode
}

const byHand = (...brokerIds: number[][]) => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids })),
})

describe('CreateTopics', () => {
  it.each(['', '.', '..', 'a b', 'a/b', 'é', 'x'.repeat(250)])('refuses the name %j', async (name) => {
    expect(await codeOf({ name })).toBe(Errors.INVALID_TOPIC_EXCEPTION)
  })

  it('refuses names that exist, that collide, that are said twice', async () => {
    expect(await codeOf({ name: 'there.already' })).toBe(Errors.TOPIC_ALREADY_EXISTS)
    expect(await codeOf({ name: 'there_already' })).toBe(Errors.INVALID_TOPIC_EXCEPTION)
    const twice = await create([{ name: 'twice' }, { name: 'twice' }, { name: 'once' }], { validateOnly: true })
    expect(twice.map((t) => [t.name, t.errorCode])).toEqual([
      ['twice', Errors.INVALID_REQUEST],
      ['twice', Errors.INVALID_REQUEST],
      ['once', Errors.NONE],
    ])
    const colliding = await create([{ name: 'a.b' }, { name: 'a_b' }], { validateOnly: true })
    expect(colliding.map((t) => t.errorCode)).toEqual([Errors.NONE, Errors.INVALID_TOPIC_EXCEPTION])
  })

  it.each([0, -2])('refuses %i partitions and replicas', async (number) => {
    expect(await codeOf({ name: 'a', numPartitions: number })).toBe(Errors.INVALID_PARTITIONS)
    expect(await codeOf({ name: 'a', replicationFactor: number })).toBe(Errors.INVALID_REPLICATION_FACTOR)
    // Kafka looks at the replicas first.
    expect(await codeOf({ name: 'a', numPartitions: number, replicationFactor: number })).toBe(Errors.INVALID_REPLICATION_FACTOR)
  })

  it('refuses more replicas than brokers', async () => {
    expect(await codeOf({ name: 'a', replicationFactor: 4 })).toBe(Errors.INVALID_REPLICATION_FACTOR)
    expect(await codeOf({ name: 'a', replicationFactor: 3 })).toBe(Errors.NONE)
  })

  it('refuses more than 10000 partitions in a request, all of them', async () => {
    expect(await codeOf({ name: 'a', numPartitions: 10_001 })).toBe(Errors.POLICY_VIOLATION)
    const half = { numPartitions: 5001 }
    const both = await create(
      [
        { name: 'a', ...half },
        { name: 'b', ...half },
      ],
      { validateOnly: true },
    )
    expect(both.map((t) => t.errorCode)).toEqual([Errors.POLICY_VIOLATION, Errors.POLICY_VIOLATION])
  })

  it('refuses configurations that are unknown, null or out of their bounds, before it looks at sizes', async () => {
    const code = (configs: Record<string, string | null>) => codeOf({ name: 'a', numPartitions: 0, configs: pairs(configs) })
    expect(await code({ 'no.such.config': '1' })).toBe(Errors.INVALID_CONFIG)
    expect(await code({ 'retention.ms': null })).toBe(Errors.INVALID_CONFIG)
    expect(await code({ 'retention.ms': 'soon' })).toBe(Errors.INVALID_CONFIG)
    expect(await code({ 'segment.bytes': '1' })).toBe(Errors.INVALID_CONFIG)
    expect(await code({ 'cleanup.policy': 'shred' })).toBe(Errors.INVALID_CONFIG)
    expect(await code({ 'retention.ms': '1000' })).toBe(Errors.INVALID_PARTITIONS)
  })

  it('refuses assignments by hand that do not hold together', async () => {
    const code = (topic: Partial<Topic>) => codeOf({ name: 'a', ...byHand([1]), ...topic })
    expect(await code({})).toBe(Errors.NONE)
    expect(await code({ numPartitions: 1 })).toBe(Errors.INVALID_REQUEST)
    expect(await code({ replicationFactor: 1 })).toBe(Errors.INVALID_REQUEST)
    expect(await code({ assignments: [{ partitionIndex: 1, brokerIds: [1] }] })).toBe(Errors.INVALID_REPLICA_ASSIGNMENT)
    expect(await code(byHand([1, 1]))).toBe(Errors.INVALID_REPLICA_ASSIGNMENT)
    expect(await code(byHand([]))).toBe(Errors.INVALID_REPLICA_ASSIGNMENT)
    expect(await code(byHand([1, 2], [3]))).toBe(Errors.INVALID_REPLICA_ASSIGNMENT)
    expect(await code(byHand([9]))).toBe(Errors.INVALID_REPLICA_ASSIGNMENT)
  })

  it('lays out by hand as it is told', async () => {
    await create([{ name: 'by-hand', ...byHand([3, 1], [2, 3]) }])
    const { topics } = await scene.ask(metadata, 12, { topics: [{ name: 'by-hand' }] })
    expect(topics[0]!.partitions.map((p) => [p.leaderId, p.replicaNodes, p.isrNodes, p.leaderEpoch])).toEqual([
      [3, [3, 1], [3, 1], 0],
      [2, [2, 3], [2, 3], 0],
    ])
  })

  it('takes its own defaults for -1, and tells what came of it from version 5 on', async () => {
    const [topic] = await create([{ name: 'defaults', numPartitions: -1, replicationFactor: -1 }])
    expect(topic).toMatchObject({ errorCode: Errors.NONE, numPartitions: 4, replicationFactor: 2 })
    expect(topic!.topicId).not.toBe(ZERO_UUID)
    const retention = topic!.configs!.find((c) => c.name === 'retention.ms')
    expect(retention).toMatchObject({ value: '604800000', configSource: 5, readOnly: false, isSensitive: false })
    const [old] = await create([{ name: 'old', configs: pairs({ 'retention.ms': '5' }) }], {}, 4)
    expect(old).toMatchObject({ errorCode: Errors.NONE, errorMessage: null })
  })

  it('creates nothing when it is only to validate', async () => {
    const [topic] = await create([{ name: 'not-yet' }], { validateOnly: true })
    expect(topic!.errorCode).toBe(Errors.NONE)
    const found = await scene.ask(metadata, 12, { topics: [{ name: 'not-yet' }], allowAutoTopicCreation: false })
    expect(found.topics[0]!.errorCode).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it.each([2, 3, 4, 5, 6, 7])('answers version %i, also where it refuses', async (version) => {
    const [made, refused] = await create([{ name: `v${version}` }, { name: 'there.already' }], {}, version)
    expect([made!.errorCode, refused!.errorCode]).toEqual([Errors.NONE, Errors.TOPIC_ALREADY_EXISTS])
    expect(refused!.errorMessage).toContain('already exists')
  })
})
