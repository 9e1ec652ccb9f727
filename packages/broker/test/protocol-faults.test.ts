// Each kind of protocol fault, as a client sees it: the effect, the hit that is told, and that nothing of it stays when it is healed.
import type { NodeFault, Trigger } from '@faultline/fault'
import {
  apiVersions,
  buildBatch,
  describeGroups,
  endTxn,
  Errors,
  findCoordinator,
  initProducerId,
  metadata,
  offsetFetch,
  produce,
  type RequestInput,
} from '@faultline/protocol'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

let scene: Scene
let topicId: string

beforeAll(async () => {
  const settings = {
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
  }
  scene = await Scene.start({ brokers: 1, settings })
  topicId = await scene.createTopic('orders', 3)
})

afterEach(() => scene.world.broker(1)!.faults.disarmAll())

type Armed = Partial<Omit<NodeFault, 'trigger'>> & { trigger?: Trigger }

function arm(kind: string, { where = {}, parameters = {}, ...options }: Armed = {}): void {
  const fault = {
    id: 'f1',
    family: 'protocol',
    count: null,
    observe: false,
    trigger: {},
    ...options,
    kind,
    where,
    parameters,
  } as const
  scene.world.broker(1)!.faults.arm(fault)
}

const heal = () => scene.world.broker(1)!.faults.disarmAll()
const hits = () => scene.world.broker(1)!.faults.list()[0]?.hits ?? 0
const end = (partition = 0) => scene.world.broker(1)!.replicas.byName('orders', partition)!.log.logEndOffset

function request(...partitions: number[]): RequestInput<typeof produce> {
  const records = () => buildBatch([{ key: null, value: Buffer.from('v'), timestamp: 1_700_000_000_000 }])
  const partitionData = partitions.map((index) => ({ index, records: records() }))
  return { transactionalId: null, acks: -1, timeoutMs: 5000, topicData: [{ name: 'orders', topicId, partitionData }] }
}

async function produceTo(...partitions: number[]): Promise<Record<number, number>> {
  const { responses } = await scene.ask(produce, 12, request(...partitions))
  return Object.fromEntries(responses.flatMap((t) => t.partitionResponses.map((p) => [p.index, p.errorCode])))
}

/** What becomes of a request on a connection of its own, within so much time. */
async function fate(within: number, partition = 0): Promise<string> {
  const connection = scene.connect()
  let outcome = 'nothing'
  connection.request(produce, 12, request(partition)).then(
    (r) => (outcome = `error ${r.responses[0]!.partitionResponses[0]!.errorCode}`),
    () => (outcome = 'closed'),
  )
  await scene.pass(within)
  return outcome
}

describe('an error', () => {
  it('instead of what was asked: nothing is done', async () => {
    arm('error', { where: { apis: ['Produce'] }, parameters: { error: 'NOT_LEADER_OR_FOLLOWER' } })
    const before = end()
    expect(await produceTo(0)).toEqual({ 0: Errors.NOT_LEADER_OR_FOLLOWER })
    expect([end() - before, hits()]).toEqual([0, 1])
    heal()
    expect(await produceTo(0)).toEqual({ 0: Errors.NONE })
  })

  it('although it was done', async () => {
    arm('error', { where: { apis: ['Produce'] }, parameters: { error: 'REQUEST_TIMED_OUT', stage: 'after' } })
    const before = end()
    expect(await produceTo(0)).toEqual({ 0: Errors.REQUEST_TIMED_OUT })
    expect([end() - before, hits()]).toEqual([1, 1])
  })

  it('for one partition only: the rest of the request is done and answered as ever', async () => {
    arm('error', { where: { topic: 'orders', partition: 1 }, parameters: { error: 'KAFKA_STORAGE_ERROR' } })
    const before = [end(0), end(1), end(2)]
    expect(await produceTo(0, 1, 2)).toEqual({ 0: Errors.NONE, 1: Errors.KAFKA_STORAGE_ERROR, 2: Errors.NONE })
    expect([end(0), end(1), end(2)].map((e, i) => e - before[i]!)).toEqual([1, 0, 1])
    expect(await produceTo(0)).toEqual({ 0: Errors.NONE })
    expect(hits()).toBe(1)
  })

  it('in the shape of each API', async () => {
    arm('error', { parameters: { error: 'COORDINATOR_NOT_AVAILABLE' } })
    const code = Errors.COORDINATOR_NOT_AVAILABLE
    expect((await scene.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })).coordinators).toEqual([
      expect.objectContaining({ key: 'g', errorCode: code }),
    ])
    expect((await scene.ask(findCoordinator, 2, { key: 'g' })).errorCode).toBe(code)
    expect((await scene.ask(initProducerId, 4, { transactionalId: 't', transactionTimeoutMs: 1000 })).errorCode).toBe(code)
    expect((await scene.ask(describeGroups, 5, { groups: ['g'] })).groups[0]).toMatchObject({ groupId: 'g', errorCode: code })
    expect((await scene.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] })).groups[0]!.errorCode).toBe(code)
    const { topics } = await scene.ask(metadata, 12, { topics: [{ name: 'orders' }] })
    expect(topics[0]).toMatchObject({ name: 'orders', errorCode: code })
  })
})

describe('what a fault chooses', () => {
  it('a client by its id, an API by its name', async () => {
    arm('error', { where: { clientId: 'somebody else' }, parameters: { error: 'UNKNOWN_SERVER_ERROR' } })
    expect(await produceTo(0)).toEqual({ 0: Errors.NONE })
    arm('error', { where: { apis: ['Fetch'] }, parameters: { error: 'UNKNOWN_SERVER_ERROR' } })
    expect(await produceTo(0)).toEqual({ 0: Errors.NONE })
    expect((await scene.fetch('orders', 0)).errorCode).toBe(Errors.UNKNOWN_SERVER_ERROR)
  })

  it('a group, a transactional id, a topic by its id', async () => {
    arm('error', { where: { group: 'mine' }, parameters: { error: 'GROUP_AUTHORIZATION_FAILED' } })
    const { groups } = await scene.ask(describeGroups, 5, { groups: ['mine'] })
    expect(groups[0]!.errorCode).toBe(Errors.GROUP_AUTHORIZATION_FAILED)
    arm('error', { where: { transactionalId: 't1' }, parameters: { error: 'PRODUCER_FENCED' } })
    const ending = { producerId: 1, producerEpoch: 0, committed: true }
    expect((await scene.ask(endTxn, 4, { transactionalId: 't1', ...ending })).errorCode).toBe(Errors.PRODUCER_FENCED)
    expect((await scene.ask(endTxn, 4, { transactionalId: 't2', ...ending })).errorCode).not.toBe(Errors.PRODUCER_FENCED)
    arm('error', { where: { topic: 'orders', partition: 2 }, parameters: { error: 'KAFKA_STORAGE_ERROR' } })
    const { responses } = await scene.ask(produce, 13, request(1, 2))
    expect(responses.map((t) => t.topicId)).toEqual([topicId])
    const codes = responses.flatMap((t) => t.partitionResponses.map((p) => [p.index, p.errorCode]))
    expect(Object.fromEntries(codes)).toEqual({ 1: Errors.NONE, 2: Errors.KAFKA_STORAGE_ERROR })
  })

  it('nothing, when it only observes', async () => {
    arm('error', { observe: true, parameters: { error: 'UNKNOWN_SERVER_ERROR' } })
    expect(await produceTo(0)).toEqual({ 0: Errors.NONE })
    expect(hits()).toBe(1)
  })
})

describe('a delay', () => {
  it.each(['before', 'after'])('makes a request late (%s it is handled), until it is healed', async (stage) => {
    arm('delay', { where: { apis: ['Produce'] }, parameters: { ms: 500, stage } })
    const before = end()
    const late = fate(400)
    expect(await late).toBe('nothing')
    expect(end() - before).toBe(stage === 'before' ? 0 : 1)
    heal()
    await scene.pass(50)
    expect(end() - before).toBe(1)
    expect(await fate(100)).toBe('error 0')
  })
})

describe('a lost reply', () => {
  it('closes the connection when all is done', async () => {
    arm('lose-reply', { where: { apis: ['Produce'] }, count: 1 })
    const before = end()
    expect(await fate(100)).toBe('closed')
    expect(end() - before).toBe(1)
    expect(await fate(100)).toBe('error 0')
  })

  it('or withholds it, and all that would follow; healed, the client comes anew', async () => {
    arm('lose-reply', { where: { apis: ['Produce'] }, parameters: { mode: 'withhold' } })
    const before = end()
    const connection = scene.connect()
    let outcome = 'nothing'
    connection.request(produce, 12, request(0)).catch(() => (outcome = 'closed'))
    await scene.pass(3000)
    expect([outcome, end() - before]).toEqual(['nothing', 1])
    heal()
    await scene.pass(100)
    expect(outcome).toBe('closed')
  })
})

describe('a request', () => {
  it('meets a closed connection', async () => {
    arm('disconnect', { where: { apis: ['Produce'] } })
    const before = end()
    expect([await fate(100), end() - before]).toEqual(['closed', 0])
  })

  it('is swallowed', async () => {
    arm('blackhole', { where: { apis: ['Produce'] } })
    const before = end()
    expect([await fate(3000), end() - before]).toEqual(['nothing', 0])
    heal()
    expect(await fate(100)).toBe('error 0')
  })

  it('is delivered twice', async () => {
    arm('duplicate', { where: { apis: ['Produce'] } })
    const before = end()
    expect([await fate(100), end() - before]).toEqual(['error 0', 2])
  })
})

describe('metadata', () => {
  const leaders = async () => {
    const { topics } = await scene.ask(metadata, 12, { topics: [{ name: 'orders' }] })
    return topics[0]!.partitions.map((p) => p.leaderId)
  }

  it('is that of long ago', async () => {
    arm('metadata', { parameters: { mode: 'stale' } })
    const { topics } = await scene.ask(metadata, 12, { topics: null })
    await scene.createTopic('news')
    expect((await scene.ask(metadata, 12, { topics: null })).topics.length).toBe(topics.length)
    expect(hits()).toBe(1)
    heal()
    expect((await scene.ask(metadata, 12, { topics: null })).topics.length).toBe(topics.length + 1)
  })

  it('knows no leader', async () => {
    arm('metadata', { where: { topic: 'orders', partition: 1 }, parameters: { mode: 'no-leader' } })
    expect((await leaders()).toSorted()).toEqual([-1, 1, 1])
    heal()
    expect(await leaders()).toEqual([1, 1, 1])
  })
})

describe('ApiVersions', () => {
  it('knows no newer version of an API', async () => {
    arm('cap-versions', { parameters: { api: 'Produce', max: 7 } })
    const ask = async () => {
      const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
      const { apiKeys } = await scene.ask(apiVersions, 3, client)
      return apiKeys.find((a) => a.apiKey === produce.key)!.maxVersion
    }
    expect(await ask()).toBe(7)
    heal()
    expect(await ask()).toBe(13)
  })
})

describe('a condition', () => {
  it('is caught in the step in which it comes true, every time', async () => {
    const ask = <A extends Parameters<Scene['ask']>[0]>(api: A, version: number, r: RequestInput<A>) => scene.ask(api, version, r)
    await ask(findCoordinator, 4, { keyType: 1, coordinatorKeys: ['t1'] })
    await scene.pass(3000)
    let { producerId, producerEpoch } = await ask(initProducerId, 5, { transactionalId: 't1', transactionTimeoutMs: 60_000 })
    for (let i = 0; i < 200; i++) {
      arm('lose-reply', { where: { apis: ['EndTxn'] }, trigger: { when: 'txn(t1).state = PrepareAbort' }, count: 1 })
      const ending = { transactionalId: 't1', producerId, producerEpoch, committed: false }
      const connection = scene.connect()
      await expect(scene.settle(connection.request(endTxn, 5, ending))).rejects.toThrow('the connection ended')
      // The retry, whose answer is let through, finds that it was done.
      heal()
      await scene.pass(20)
      ;({ producerId, producerEpoch } = await ask(endTxn, 5, ending))
    }
    const told = scene.world.events.filter(
      (e) => e.event === 'fault.hit' && e.fields['api'] === 'EndTxn' && e.fields['kind'] === 'lose-reply',
    )
    expect(told).toHaveLength(200)
  })
})
