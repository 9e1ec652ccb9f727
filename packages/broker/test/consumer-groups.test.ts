// Consumer groups through a whole simulated cluster: heartbeats, topics that change, configurations of groups, and a coordinator that goes.
import {
  apiVersions,
  consumerGroupDescribe,
  consumerGroupHeartbeat,
  createPartitions,
  deleteTopics,
  describeConfigs,
  Errors,
  findCoordinator,
  incrementalAlterConfigs,
  type RequestInput,
} from '@faultline/protocol'
import { reportGroups } from '@faultline/client'
import { describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

const GROUP = 32
const SETTINGS = { 'offsets.topic.num.partitions': '1', 'offsets.topic.replication.factor': '2' }

async function coordinator(scene: Scene, asked = 1): Promise<number> {
  for (;;) {
    const request = { keyType: 0, coordinatorKeys: ['g'] }
    const [found] = (await scene.ask(findCoordinator, 4, request, asked)).coordinators
    if (found!.errorCode === Errors.NONE) return found!.nodeId
    await scene.pass(100)
  }
}

/** As a client does: at whoever coordinates, until it is loaded. */
async function beat(scene: Scene, memberEpoch: number, options: RequestInput<typeof consumerGroupHeartbeat> = {}, asked = 1) {
  for (;;) {
    const broker = await coordinator(scene, asked)
    const reply = await scene.ask(consumerGroupHeartbeat, 1, { groupId: 'g', memberId: 'a', memberEpoch, ...options }, broker)
    const isRetriable = [14, 15, 16].includes(reply.errorCode)
    if (!isRetriable) return reply
    await scene.pass(100)
  }
}

function join(scene: Scene, options: RequestInput<typeof consumerGroupHeartbeat> = {}) {
  return beat(scene, 0, { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], topicPartitions: [], ...options })
}

function leads(scene: Scene, broker: number): boolean {
  return scene.world.broker(broker)!.replicas.byName('__consumer_offsets', 0)?.leads === true
}

function partitions(reply: Awaited<ReturnType<typeof beat>>): number[] | undefined {
  return reply.assignment?.topicPartitions.flatMap((t) => t.partitions)
}

async function alter(scene: Scene, name: string, value: string, resourceName = 'g') {
  const resources = [{ resourceType: GROUP, resourceName, configs: [{ name, configOperation: 0, value }] }]
  const { responses } = await scene.ask(incrementalAlterConfigs, 1, { resources })
  await scene.pass(100)
  return [responses[0]!.errorCode, responses[0]!.errorMessage]
}

describe('a consumer group', () => {
  it('follows its topics: partitions that are added, and a topic that is deleted', async () => {
    const scene = await Scene.start({ brokers: 2, settings: SETTINGS })
    await scene.createTopic('orders', 2, 2)
    const joined = await join(scene)
    expect(joined).toMatchObject({ errorCode: 0, memberId: 'a', memberEpoch: 2, heartbeatIntervalMs: 5000 })
    expect(partitions(joined)).toEqual([0, 1])
    await scene.ask(createPartitions, 3, { topics: [{ name: 'orders', count: 3, assignments: null }], timeoutMs: 5000 })
    await scene.pass(2000)
    expect(partitions(await beat(scene, 2))).toEqual([0, 1, 2])
    await scene.ask(deleteTopics, 6, { topics: [{ name: 'orders' }], timeoutMs: 5000 })
    await scene.pass(2000)
    expect(partitions(await beat(scene, 3))).toEqual([])
  })

  it('finds topics by a regular expression, and those that come', async () => {
    const scene = await Scene.start({ brokers: 2, settings: SETTINGS })
    await scene.createTopic('orders', 2, 2)
    await join(scene, { subscribedTopicNames: null, subscribedTopicRegex: 'or.*' })
    await scene.pass(100)
    expect(partitions(await beat(scene, 1))).toEqual([0, 1])
    await scene.createTopic('oranges', 1, 2)
    await scene.pass(10_000)
    await beat(scene, 2)
    await scene.pass(100)
    expect(partitions(await beat(scene, 2))?.length).toBe(3)
  })

  it('goes on where it was when its coordinator is gone', async () => {
    const scene = await Scene.start({ brokers: 2, settings: SETTINGS })
    await scene.createTopic('orders', 2, 2)
    await join(scene)
    const broker = await coordinator(scene)
    const other = broker === 1 ? 2 : 1
    scene.world.crash(broker)
    await scene.world.runUntil('another coordinator', () => leads(scene, other), 60_000)
    expect(await beat(scene, 2, {}, other)).toMatchObject({ errorCode: 0, memberEpoch: 2, assignment: null })
    const described = await scene.ask(consumerGroupDescribe, 1, { groupIds: ['g'] }, other)
    expect(described.groups[0]).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 2,
      members: [{ memberId: 'a', memberEpoch: 2 }],
    })
  })

  it('is shown to administrators with its members', async () => {
    const scene = await Scene.start({ brokers: 2, settings: SETTINGS })
    await scene.createTopic('orders', 1, 2)
    await join(scene)
    const { answers } = await scene.settle(reportGroups(scene.world.client('admin')))
    const assigned = [{ topic: 'orders', partition: 0 }]
    expect(answers).toMatchObject([
      {
        groupId: 'g',
        type: 'consumer',
        state: 'Stable',
        description: { assignor: 'uniform', members: [{ memberId: 'a', assigned }] },
      },
    ])
  })
})

describe('the feature group.version', () => {
  it('is told as Kafka tells it; older clients do not hear of what may be off', async () => {
    const scene = await Scene.start()
    const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
    const { finalizedFeatures, supportedFeatures } = await scene.ask(apiVersions, 4, software)
    expect(finalizedFeatures).toContainEqual({ name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 })
    expect(supportedFeatures).toContainEqual({ name: 'group.version', minVersion: 0, maxVersion: 1 })
    const older = await scene.ask(apiVersions, 3, software)
    expect(older.supportedFeatures.map((f) => f.name)).toEqual(['metadata.version'])
  })
})

describe('configurations of a group', () => {
  it('are shown with where they come from', async () => {
    const scene = await Scene.start({ settings: { 'group.consumer.heartbeat.interval.ms': '6000' } })
    expect(await alter(scene, 'consumer.session.timeout.ms', '50000')).toEqual([0, null])
    const resources = [{ resourceType: GROUP, resourceName: 'g', configurationKeys: null }]
    const { configs } = (await scene.ask(describeConfigs, 4, { resources, includeSynonyms: true })).results[0]!
    expect(configs.length).toBe(21)
    const byName = new Map(configs.map((c) => [c.name, c]))
    expect(byName.get('consumer.session.timeout.ms')).toMatchObject({
      value: '50000',
      configSource: 8,
      readOnly: false,
      synonyms: [
        { name: 'consumer.session.timeout.ms', value: '50000', source: 8 },
        { name: 'group.consumer.session.timeout.ms', value: '45000', source: 5 },
      ],
    })
    expect(byName.get('consumer.heartbeat.interval.ms')).toMatchObject({ value: '6000', configSource: 4 })
    expect(byName.get('share.auto.offset.reset')).toMatchObject({ value: 'latest', configSource: 5, configType: 2 })
  })

  it('hold for the members of the group', async () => {
    const scene = await Scene.start({ brokers: 2, settings: SETTINGS })
    await scene.createTopic('orders', 1, 2)
    await alter(scene, 'consumer.heartbeat.interval.ms', '7000')
    expect(await join(scene)).toMatchObject({ heartbeatIntervalMs: 7000 })
    const other = { rebalanceTimeoutMs: 1, subscribedTopicNames: ['orders'], topicPartitions: [] }
    expect(await beat(scene, 0, { groupId: 'h', ...other })).toMatchObject({ heartbeatIntervalMs: 5000 })
  })

  const refused: [string, string, string][] = [
    ['consumer.session.timeout.ms', '1', 'consumer.session.timeout.ms must be in the range 45000 to 60000 inclusive.'],
    ['consumer.heartbeat.interval.ms', '16000', 'consumer.heartbeat.interval.ms must be in the range 5000 to 15000 inclusive.'],
    [
      'consumer.heartbeat.interval.ms',
      '0',
      'Invalid value 0 for configuration consumer.heartbeat.interval.ms: Value must be at least 1',
    ],
    ['consumer.assignment.interval.ms', '16000', 'consumer.assignment.interval.ms must be in the range 0 to 15000 inclusive.'],
    [
      'consumer.session.timeout.ms',
      'abc',
      'Invalid value abc for configuration consumer.session.timeout.ms: Not a number of type INT',
    ],
    ['nope', '1', 'Unknown group config name: nope'],
    ['share.delivery.count.limit', '50', 'share.delivery.count.limit must be in the range 2 to 10 inclusive.'],
    ['streams.num.standby.replicas', '5', 'streams.num.standby.replicas must be less than or equal to 2'],
    [
      'streams.assignor.name',
      'foo',
      "streams.assignor.name 'foo' is not a registered task assignor. Registered assignors are: [sticky].",
    ],
    ['errors.deadletterqueue.topic.name', '__x', "errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'"],
    [
      'share.isolation.level',
      'x',
      'Invalid value x for configuration share.isolation.level: String must be one of: read_committed, read_uncommitted',
    ],
  ]
  it('are refused in the words of Kafka', async () => {
    const scene = await Scene.start()
    for (const [name, value, message] of refused)
      expect([name, ...(await alter(scene, name, value))]).toEqual([name, Errors.INVALID_CONFIG, message])
    expect(await alter(scene, 'share.auto.offset.reset', 'bogus')).toEqual([
      Errors.INVALID_CONFIG,
      expect.stringContaining('by_duration'),
    ])
    expect(await alter(scene, 'share.auto.offset.reset', 'by_duration:P1DT2H')).toEqual([0, null])
    const none = [Errors.INVALID_REQUEST, 'Default group resources are not allowed.']
    expect(await alter(scene, 'consumer.session.timeout.ms', '50000', '')).toEqual(none)
    const resources = [{ resourceType: GROUP, resourceName: '', configurationKeys: null }]
    expect((await scene.ask(describeConfigs, 4, { resources })).results[0]).toMatchObject({
      errorCode: Errors.INVALID_REQUEST,
      errorMessage: 'Group name must not be empty',
    })
  })
})
