// When faults of each family begin and what they do: after others, later, by chance, or not at all because they only look.
import { type FaultRequestInput, type FaultView, startCluster, type StartedCluster } from '@faultline/director'
import type { Kafka, Producer } from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DIST, kafkaFor, until, withAdmin } from '../support/cluster.ts'

let cluster: StartedCluster
let kafka: Kafka
let producer: Producer

beforeAll(async () => {
  cluster = await startCluster({ brokers: 1, controllers: 1, proxied: true }, DIST)
  kafka = kafkaFor(cluster.bootstrap)
  const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
  await withAdmin(kafka, (admin) =>
    admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: 'orders', numPartitions: 1, replicationFactor: 1, configEntries }],
    }),
  )
  producer = kafka.producer()
  await producer.connect()
})
afterAll(async () => {
  await producer.disconnect()
  await cluster[Symbol.asyncDispose]()
})
afterEach(async () => {
  await cluster.healAll()
  await until('all nodes', async () => (await states()).every((s) => s === 'running' || s === 'active'))
})

const states = async () => (await cluster.cluster.nodes()).map((n) => n.state)
const faultNow = async ({ id }: FaultView) => (await cluster.faults()).find((f) => f.id === id)!

/** Its log append time, compared with the clock here. */
async function send(): Promise<number> {
  const [sent] = await producer.send({ topic: 'orders', acks: -1, messages: [{ value: 'x' }] })
  return Number(sent!.logAppendTime) - Date.now()
}

/** One of each family, harmless enough to be beside the others. */
const EACH: readonly FaultRequestInput[] = [
  { family: 'protocol', kind: 'delay', where: { apis: ['Produce'] }, with: { ms: 1 } },
  { family: 'link', kind: 'latency', from: 'clients', with: { latency: 1 } },
  { family: 'storage', kind: 'slow', where: { file: 'log' }, with: { operation: 'write', ms: 1 } },
  { family: 'clock', kind: 'step', node: 'broker:1', with: { ms: 3_600_000 } },
  { family: 'load', kind: 'garbage' },
  { family: 'process', kind: 'restart', node: 'controller:101' },
]

describe.each(EACH)('a fault of family $family', (request) => {
  it('comes after another has hit so often, and not before', async () => {
    const trigger = await cluster.fault({ family: 'protocol', kind: 'delay', where: { apis: ['Produce'] }, observe: true })
    const fault = await cluster.fault({ ...request, after: { fault: trigger.id, hits: 2 } })
    await send()
    await until('the first hit', async () => (await faultNow(trigger)).hits === 1)
    expect((await faultNow(fault)).hits).toBe(0)
    await send()
    await until('its moment', async () => {
      await send()
      return (await faultNow(fault)).hits > 0
    })
  })

  it('comes after another that has hit long ago', async () => {
    const trigger = await cluster.fault({
      family: 'protocol',
      kind: 'delay',
      where: { apis: ['Produce'] },
      observe: true,
      count: 1,
    })
    await send()
    await until('its end', async () => (await faultNow(trigger)).state === 'spent')
    const fault = await cluster.fault({ ...request, after: { fault: trigger.id } })
    await until('its moment', async () => {
      await send()
      return (await faultNow(fault)).hits > 0
    })
  })

  it('begins later, when that is said', async () => {
    const fault = await cluster.fault({ ...request, in: '300ms' })
    expect(fault).toMatchObject({ state: 'waiting', hits: 0 })
    await until('its moment', async () => {
      await send()
      return (await faultNow(fault)).hits > 0
    })
  })

  it('is healed before it begins', async () => {
    const fault = await cluster.fault({ ...request, in: '1h' })
    expect(await cluster.heal(fault.id)).toMatchObject({ state: 'healed', hits: 0 })
  })
})

it('a condition that holds already strikes at once, every time', async () => {
  await send()
  for (let i = 0; i < 20; i++) {
    const when = 'partition(orders-0).logEnd > 0'
    const fault = await cluster.fault({ family: 'process', kind: 'pause', node: 'controller:101', when, count: 1 })
    await until('the hit', async () => (await faultNow(fault)).hits === 1)
    await cluster.heal(fault.id)
  }
})

describe('a fault that only observes', () => {
  it.each<FaultRequestInput>([
    { family: 'protocol', kind: 'error', where: { apis: ['Produce'] }, with: { error: 'INVALID_RECORD' } },
    { family: 'link', kind: 'refuse', from: 'clients' },
    { family: 'storage', kind: 'full' },
    { family: 'clock', kind: 'step', with: { ms: -86_400_000 } },
    { family: 'process', kind: 'kill', node: 'broker:1' },
    { family: 'process', kind: 'kill', node: 'broker:1', when: 'partition(orders-0).logEnd > 0' },
    { family: 'process', kind: 'wipe', node: 'broker:1' },
    { family: 'process', kind: 'roll', with: { target: 'all' } },
    { family: 'process', kind: 'crash-at-point', where: { point: 'produce.appended' } },
  ])('of $family $kind is counted, and does nothing', async (request) => {
    const fault = await cluster.fault({ ...request, observe: true })
    const pids = (await cluster.cluster.nodes()).map((n) => n.pid)
    expect(Math.abs(await send())).toBeLessThan(60_000)
    await until('a hit', async () => (await faultNow(fault)).hits > 0)
    expect((await faultNow(fault)).lastHit).toMatchObject({ observed: true })
    expect(Math.abs(await send())).toBeLessThan(60_000)
    expect((await cluster.cluster.nodes()).map((n) => n.pid)).toEqual(pids)
  })
})

describe('chance', () => {
  it.each<FaultRequestInput>([
    { family: 'protocol', kind: 'delay', where: { apis: ['Produce'] }, with: { ms: 0 } },
    { family: 'storage', kind: 'slow', where: { file: 'log', topic: 'orders' }, with: { operation: 'write', ms: 0 } },
  ])('hits some occasions of $family $kind, the same for the same seed', async (request) => {
    const seen = []
    for (let i = 0; i < 2; i++) {
      const fault = await cluster.fault({ ...request, probability: 0.5, seed: 7 })
      for (let n = 0; n < 20; n++) await send()
      const { hits, matched } = await faultNow(fault)
      expect(matched).toBeGreaterThanOrEqual(20)
      seen.push(hits)
      await cluster.heal(fault.id)
    }
    expect(seen[0]).toBe(seen[1])
    expect(seen[0]).toBeGreaterThan(0)
    expect(seen[0]).toBeLessThan(20)
  })
})

it('a fault that cannot begin when its time has come says why', async () => {
  const ended = new AbortController()
  const fault = await cluster.fault({ family: 'process', kind: 'kill', node: 'leader:nothing-0', in: '50ms' })
  for await (const event of cluster.events(0, ended.signal))
    if (event.event === 'fault.miss' && event['fault'] === fault.id) {
      expect(event['reason']).toBe('there is no partition nothing-0')
      break
    }
  await until('its state', async () => (await faultNow(fault)).state === 'failed')
})
