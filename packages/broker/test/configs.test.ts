// DescribeConfigs, IncrementalAlterConfigs and AlterConfigs: values, where they come from, and what may not be changed.
import { alterConfigs, describeConfigs, Errors, incrementalAlterConfigs } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

const TOPIC = 2
const BROKER = 4
const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3
const Source = { TOPIC: 1, BROKER: 2, ALL_BROKERS: 3, STATIC: 4, DEFAULT: 5 }
const Type = { BOOLEAN: 1, STRING: 2, INT: 3, LONG: 5, DOUBLE: 6, LIST: 7, PASSWORD: 9 }

async function describeOne(scene: Scene, resourceType: number, resourceName: string, configurationKeys: string[] | null = null) {
  const resources = [{ resourceType, resourceName, configurationKeys }]
  const { results } = await scene.ask(describeConfigs, 4, { resources, includeSynonyms: true })
  return results[0]!
}

async function one(scene: Scene, resourceType: number, resourceName: string, name: string) {
  const { configs } = await describeOne(scene, resourceType, resourceName, [name])
  expect(configs.length).toBe(1)
  return configs[0]!
}

type Change = readonly [name: string, configOperation: number, value: string | null]

async function alter(scene: Scene, resourceType: number, resourceName: string, changes: Change[], validateOnly = false) {
  const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
  const resources = [{ resourceType, resourceName, configs }]
  const { responses } = await scene.ask(incrementalAlterConfigs, 1, { resources, validateOnly })
  await scene.pass(50)
  return responses[0]!.errorCode
}

async function withTopic(settings: Record<string, string> = {}): Promise<Scene> {
  const scene = await Scene.start({ settings })
  await scene.createTopic('a')
  return scene
}

describe('DescribeConfigs', () => {
  it('tells all configurations of a topic, with their types', async () => {
    const scene = await withTopic()
    const { configs, errorCode } = await describeOne(scene, TOPIC, 'a')
    expect(errorCode).toBe(Errors.NONE)
    expect(configs.length).toBe(37)
    const types = Object.fromEntries(configs.map((c) => [c.name, c.configType]))
    expect(types).toMatchObject({
      'cleanup.policy': Type.LIST,
      'compression.type': Type.STRING,
      'min.cleanable.dirty.ratio': Type.DOUBLE,
      'min.insync.replicas': Type.INT,
      'retention.ms': Type.LONG,
      'unclean.leader.election.enable': Type.BOOLEAN,
    })
    expect(configs.every((c) => !c.readOnly && !c.isSensitive)).toBe(true)
  })

  it('tells where a value comes from, and every other place that could have given one', async () => {
    const scene = await withTopic({ 'log.retention.ms': '4' })
    const told = async () => {
      const { value, configSource, synonyms } = await one(scene, TOPIC, 'a', 'retention.ms')
      return [value, configSource, synonyms.map((s) => [s.name, s.value, s.source])]
    }
    // log.retention.ms itself has no default: Kafka shows none.
    const fixed = [['log.retention.ms', '4', Source.STATIC]]
    expect(await told()).toEqual(['4', Source.STATIC, fixed])
    await alter(scene, BROKER, '', [['log.retention.ms', SET, '3']])
    const all = ['log.retention.ms', '3', Source.ALL_BROKERS]
    expect(await told()).toEqual(['3', Source.ALL_BROKERS, [all, ...fixed]])
    await alter(scene, BROKER, '1', [['log.retention.ms', SET, '2']])
    const this_ = ['log.retention.ms', '2', Source.BROKER]
    expect(await told()).toEqual(['2', Source.BROKER, [this_, all, ...fixed]])
    await alter(scene, TOPIC, 'a', [['retention.ms', SET, '1']])
    expect(await told()).toEqual(['1', Source.TOPIC, [['retention.ms', '1', Source.TOPIC], this_, all, ...fixed]])
    await alter(scene, TOPIC, 'a', [['retention.ms', DELETE, null]])
    expect(await told()).toEqual(['2', Source.BROKER, [this_, all, ...fixed]])
  })

  it('has no synonyms for what only topics have, nor when nobody asks', async () => {
    const scene = await withTopic()
    const own = await one(scene, TOPIC, 'a', 'follower.replication.throttled.replicas')
    expect([own.configSource, own.synonyms]).toEqual([Source.DEFAULT, []])
    const shared = await one(scene, TOPIC, 'a', 'compression.type')
    expect(shared.synonyms).toEqual([{ name: 'compression.type', value: 'producer', source: Source.DEFAULT }])
    const resources = [{ resourceType: TOPIC, resourceName: 'a', configurationKeys: null }]
    const { results } = await scene.ask(describeConfigs, 4, { resources })
    expect(results[0]!.configs.every((c) => c.synonyms.length === 0)).toBe(true)
  })

  it('tells a broker of itself: what is read only, what is secret', async () => {
    const scene = await Scene.start({ settings: { 'log.retention.check.interval.ms': '77', 'ssl.keystore.password': 'hush' } })
    const own = await one(scene, BROKER, '1', 'log.retention.check.interval.ms')
    expect(own).toMatchObject({ value: '77', configSource: Source.STATIC, readOnly: true })
    expect(await one(scene, BROKER, '1', 'log.retention.ms')).toMatchObject({ readOnly: false })
    const secret = await one(scene, BROKER, '1', 'ssl.keystore.password')
    expect(secret).toMatchObject({ value: null, isSensitive: true, configType: Type.PASSWORD })
    expect(secret.synonyms.every((s) => s.value === null)).toBe(true)
    expect((await describeOne(scene, BROKER, '')).configs).toEqual([])
    const { configs } = await describeOne(scene, BROKER, '1')
    expect(configs.filter((c) => c.name.startsWith('unclean.')).map((c) => c.name)).toEqual(['unclean.leader.election.enable'])
  })

  it.each([
    [TOPIC, 'b', Errors.UNKNOWN_TOPIC_OR_PARTITION],
    [TOPIC, 'a/b', Errors.INVALID_TOPIC_EXCEPTION],
    [TOPIC, '', Errors.INVALID_TOPIC_EXCEPTION],
    [BROKER, '2', Errors.INVALID_REQUEST],
    [BROKER, 'one', Errors.INVALID_REQUEST],
    [BROKER, ' 1', Errors.INVALID_REQUEST],
    [99, 'a', Errors.INVALID_REQUEST],
  ])('refuses resource %i %j with %i', async (type, name, error) => {
    const scene = await withTopic()
    expect(await describeOne(scene, type, name)).toMatchObject({ errorCode: error, configs: [] })
  })
})

describe('IncrementalAlterConfigs', () => {
  it('appends to lists and takes from them', async () => {
    const scene = await withTopic()
    const policy = async () => (await one(scene, TOPIC, 'a', 'cleanup.policy')).value
    expect(await alter(scene, TOPIC, 'a', [['cleanup.policy', APPEND, 'compact']])).toBe(Errors.NONE)
    expect(await policy()).toBe('delete,compact')
    expect(await alter(scene, TOPIC, 'a', [['cleanup.policy', APPEND, 'compact']])).toBe(Errors.NONE)
    expect(await policy()).toBe('delete,compact')
    expect(await alter(scene, TOPIC, 'a', [['cleanup.policy', SUBTRACT, 'delete']])).toBe(Errors.NONE)
    expect(await policy()).toBe('compact')
    expect(await alter(scene, TOPIC, 'a', [['cleanup.policy', APPEND, 'shred']])).toBe(Errors.INVALID_CONFIG)
    expect(await alter(scene, TOPIC, 'a', [['retention.ms', APPEND, '1']])).toBe(Errors.INVALID_CONFIG)
    expect(await alter(scene, TOPIC, 'a', [['retention.ms', SUBTRACT, '1']])).toBe(Errors.INVALID_CONFIG)
  })

  it.each<[Change[], number]>([
    [[['retention.ms', SET, 'soon']], Errors.INVALID_CONFIG],
    [[['retention.ms', SET, '-2']], Errors.INVALID_CONFIG],
    [[['retention.ms', SET, '99999999999999999999']], Errors.INVALID_CONFIG],
    [[['min.cleanable.dirty.ratio', SET, '1.1']], Errors.INVALID_CONFIG],
    [[['preallocate', SET, 'yes']], Errors.INVALID_CONFIG],
    [[['compression.type', SET, 'zip']], Errors.INVALID_CONFIG],
    [[['no.such', SET, '1']], Errors.INVALID_CONFIG],
    [[['no.such', DELETE, null]], Errors.NONE],
    [[['retention.ms', SET, null]], Errors.INVALID_REQUEST],
    [[['retention.ms', 4, '1']], Errors.INVALID_REQUEST],
    [[['retention.ms', -1, '1']], Errors.INVALID_REQUEST],
    [
      [
        ['retention.ms', SET, '1'],
        ['retention.ms', SET, '2'],
      ],
      Errors.INVALID_REQUEST,
    ],
  ])('of %j is answered %i', async (changes, error) => {
    const scene = await withTopic()
    expect(await alter(scene, TOPIC, 'a', changes)).toBe(error)
  })

  it('changes all of a resource or nothing, and each resource by itself', async () => {
    const scene = await withTopic()
    await scene.createTopic('b')
    const set = (name: string, value: string) => ({ name, configOperation: SET, value })
    const resources = [
      { resourceType: TOPIC, resourceName: 'a', configs: [set('retention.ms', '1'), set('segment.bytes', 'x')] },
      { resourceType: TOPIC, resourceName: 'b', configs: [set('retention.ms', '1')] },
      { resourceType: TOPIC, resourceName: 'c', configs: [] },
    ]
    const { responses } = await scene.ask(incrementalAlterConfigs, 1, { resources })
    expect(responses.map((r) => [r.resourceName, r.errorCode])).toEqual([
      ['a', Errors.INVALID_CONFIG],
      ['b', Errors.NONE],
      ['c', Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    await scene.pass(50)
    expect((await one(scene, TOPIC, 'a', 'retention.ms')).configSource).toBe(Source.DEFAULT)
    expect((await one(scene, TOPIC, 'b', 'retention.ms')).value).toBe('1')
  })

  it('only validates when it is asked to', async () => {
    const scene = await withTopic()
    expect(await alter(scene, TOPIC, 'a', [['retention.ms', SET, '1']], true)).toBe(Errors.NONE)
    expect(await alter(scene, TOPIC, 'a', [['retention.ms', SET, 'x']], true)).toBe(Errors.INVALID_CONFIG)
    expect((await one(scene, TOPIC, 'a', 'retention.ms')).value).toBe('604800000')
  })

  it('acts on a log at once', async () => {
    const scene = await withTopic()
    await alter(scene, TOPIC, 'a', [['max.message.bytes', SET, '100']])
    expect((await scene.produce('a', ['x'.repeat(200)])).errorCode).toBe(Errors.MESSAGE_TOO_LARGE)
    await alter(scene, TOPIC, 'a', [['max.message.bytes', DELETE, null]])
    expect((await scene.produce('a', ['x'.repeat(200)])).errorCode).toBe(Errors.NONE)
    await alter(scene, BROKER, '', [['message.max.bytes', SET, '100']])
    expect((await scene.produce('a', ['x'.repeat(200)])).errorCode).toBe(Errors.MESSAGE_TOO_LARGE)
  })

  it('changes of a broker what can change while it runs', async () => {
    const scene = await Scene.start()
    expect(await alter(scene, BROKER, '1', [['log.retention.ms', SET, '5']])).toBe(Errors.NONE)
    expect(await alter(scene, BROKER, '1', [['node.id', SET, '5']])).toBe(Errors.INVALID_REQUEST)
    expect(await alter(scene, BROKER, '', [['num.partitions', SET, '5']])).toBe(Errors.INVALID_REQUEST)
    expect(await alter(scene, BROKER, '', [['log.retention.ms', SET, 'x']])).toBe(Errors.INVALID_REQUEST)
    expect(await alter(scene, BROKER, '7', [['log.retention.ms', SET, '5']])).toBe(Errors.INVALID_REQUEST)
    expect(await alter(scene, BROKER, 'x', [['log.retention.ms', SET, '5']])).toBe(Errors.INVALID_REQUEST)
    expect(await alter(scene, BROKER, '', [['plugin.config', SET, '5']])).toBe(Errors.NONE)
    expect((await describeOne(scene, BROKER, '')).configs.map((c) => [c.name, c.value])).toEqual([['plugin.config', '5']])
  })
})

describe('AlterConfigs', () => {
  const GROUP = 32

  /** All that is set on the resource afterwards, or the error and its message. */
  async function replace(scene: Scene, type: number, name: string, configs: Record<string, string | null>, validateOnly = false) {
    const pairs = Object.entries(configs).map(([config, value]) => ({ name: config, value }))
    const resources = [{ resourceType: type, resourceName: name, configs: pairs }]
    const { responses } = await scene.ask(alterConfigs, 2, { resources, validateOnly })
    const { errorCode, errorMessage } = responses[0]!
    return errorCode === Errors.NONE
      ? Object.fromEntries(scene.world.image!.configsOf(type, name) ?? [])
      : `${errorCode}: ${errorMessage}`
  }

  it('leaves nothing but what is named', async () => {
    const scene = await withTopic()
    expect(await replace(scene, TOPIC, 'a', { 'retention.ms': '1000000', 'min.insync.replicas': '2' })).toEqual({
      'retention.ms': '1000000',
      'min.insync.replicas': '2',
    })
    expect(await replace(scene, TOPIC, 'a', { 'retention.ms': '2000000' })).toEqual({ 'retention.ms': '2000000' })
    expect(await replace(scene, TOPIC, 'a', { 'segment.ms': '300000' }, true)).toEqual({ 'retention.ms': '2000000' })
    expect(await replace(scene, TOPIC, 'a', {})).toEqual({})
    expect(await replace(scene, GROUP, 'g', { 'consumer.session.timeout.ms': '50000' })).not.toEqual({})
    expect(await replace(scene, GROUP, 'g', {})).toEqual({})
    expect(await replace(scene, BROKER, '', { 'log.cleaner.threads': '2' })).toEqual({ 'log.cleaner.threads': '2' })
  })

  it.each([0, 1, 2])('judges each resource by itself (version %i)', async (version) => {
    const scene = await withTopic()
    const configs = [{ name: 'segment.ms', value: '300000' }]
    const twice = [...configs, ...configs]
    const resources = [
      { resourceType: TOPIC, resourceName: 'nope', configs },
      { resourceType: TOPIC, resourceName: 'a', configs },
      { resourceType: BROKER, resourceName: '', configs: twice },
    ]
    const { responses } = await scene.ask(alterConfigs, version, { resources, validateOnly: false })
    expect(responses.map((r) => [r.errorCode, r.errorMessage])).toEqual([
      [Errors.UNKNOWN_TOPIC_OR_PARTITION, "The topic 'nope' does not exist."],
      [Errors.NONE, null],
      [Errors.INVALID_REQUEST, 'Error due to duplicate config keys'],
    ])
    await scene.pass(50)
    expect((await one(scene, TOPIC, 'a', 'segment.ms')).value).toBe('300000')
  })

  it('refuses as Kafka does, and changes nothing then', async () => {
    const scene = await withTopic()
    const before = await replace(scene, TOPIC, 'a', { 'retention.ms': '1000000' })
    const refused = async (type: number, name: string, configs: Record<string, string | null>) => {
      const outcome = await replace(scene, type, name, configs)
      expect(Object.fromEntries(scene.world.image!.configsOf(TOPIC, 'a')!)).toEqual(before)
      return outcome
    }
    expect(await refused(TOPIC, 'a', { 'segment.ms': '300000', nope: '1' })).toBe(
      `${Errors.INVALID_CONFIG}: Unknown topic config name: nope`,
    )
    expect(await refused(TOPIC, 'a', { 'segment.ms': 'abc' })).toBe(
      `${Errors.INVALID_CONFIG}: Invalid value abc for configuration segment.ms: Not a number of type LONG`,
    )
    expect(await refused(TOPIC, 'a', { 'segment.ms': null })).toBe(
      `${Errors.INVALID_REQUEST}: Null value not supported for : segment.ms`,
    )
    expect(await refused(TOPIC, '', {})).toBe(`${Errors.INVALID_REQUEST}: Default topic resources are not allowed.`)
    expect(await refused(GROUP, '', {})).toBe(`${Errors.INVALID_REQUEST}: Default group resources are not allowed.`)
    expect(await refused(77, 'a', {})).toBe(`${Errors.INVALID_REQUEST}: Unknown resource type 77`)
    await replace(scene, BROKER, '', { 'min.insync.replicas': '1' })
    expect(await refused(BROKER, '', { 'log.cleaner.threads': '2' })).toBe(
      `${Errors.INVALID_CONFIG}: Cluster-level min.insync.replicas cannot be removed while ELR is enabled.`,
    )
  })
})
