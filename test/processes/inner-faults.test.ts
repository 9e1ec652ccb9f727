// Faults of disks, and crashes at named points, in real brokers: what a client outside sees, and that nothing acknowledged is
// lost where it must not be.
import { describe, expect, it } from 'vitest'
import { type ClusterOptions, startCluster, type StartedCluster } from '@faultline/director'
import { createTopic, DIST, kafkaFor, until } from '../support/cluster.ts'

const start = (options: ClusterOptions = {}) => startCluster({ brokers: 3, controllers: 1, ...options }, DIST)

async function producerTo(cluster: StartedCluster) {
  const kafka = kafkaFor(cluster.bootstrap)
  await createTopic(kafka, 'orders', 1)
  const producer = kafka.producer()
  await producer.connect()
  const acknowledged: string[] = []
  let count = 0
  const send = async (n = 1) => {
    for (let i = 0; i < n; i++) {
      const value = `v${count++}`
      await producer.send({ topic: 'orders', acks: -1, messages: [{ value }] })
      acknowledged.push(value)
    }
  }
  await send()
  return { kafka, producer, send, acknowledged }
}

/** Every value of the topic, as a client reads it. */
async function readAll(cluster: StartedCluster, atLeast: number): Promise<Set<string>> {
  const consumer = kafkaFor(cluster.bootstrap).consumer({ groupId: `r${Math.random()}` })
  const found = new Set<string>()
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => void found.add(message.value!.toString()) })
  await until('all records', async () => found.size >= atLeast)
  await consumer.disconnect()
  return found
}

async function stateOf(cluster: StartedCluster, name: string): Promise<string> {
  return (await cluster.cluster.nodes()).find((n) => n.name === name)!.state
}

describe('a disk', () => {
  it('that is full ends its broker, others lead, and healed it comes back', async () => {
    await using cluster = await start()
    const { producer, send, acknowledged } = await producerTo(cluster)
    const leader = await cluster.waitForLeader('orders-0')
    await cluster.fault({ family: 'storage', kind: 'full', node: `broker:${leader}`, where: { file: 'log' } })
    await send(3)
    expect(await cluster.waitForLeader('orders-0', leader)).not.toBe(leader)
    expect(await stateOf(cluster, `broker:${leader}`)).toMatch(/stopped/)
    await cluster.healAll()
    await cluster.restart(`broker:${leader}`)
    await cluster.waitForIsr('orders-0', 3)
    expect([...(await readAll(cluster, acknowledged.length))]).toEqual(expect.arrayContaining(acknowledged))
    await producer.disconnect()
  })

  it('that tears a write and dies leaves a log that is mended', async () => {
    await using cluster = await start()
    const { producer, send, acknowledged } = await producerTo(cluster)
    const leader = await cluster.waitForLeader('orders-0')
    const { id } = await cluster.fault({
      family: 'storage',
      kind: 'torn-write',
      node: `broker:${leader}`,
      where: { file: 'log', topic: 'orders' },
      count: 1,
    })
    await send(3)
    await until('the crash', async () => /stopped/.test(await stateOf(cluster, `broker:${leader}`)))
    await cluster.heal(id)
    await cluster.restart(`broker:${leader}`)
    await cluster.waitForIsr('orders-0', 3)
    expect([...(await readAll(cluster, acknowledged.length))]).toEqual(expect.arrayContaining(acknowledged))
    await producer.disconnect()
  })

  it('that is slow makes a client wait', async () => {
    await using cluster = await start({ brokers: 1 })
    const kafka = kafkaFor(cluster.bootstrap)
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1, replicationFactor: 1 }] })
    const producer = kafka.producer()
    await producer.connect()
    const send = () => producer.send({ topic: 'orders', messages: [{ value: 'x' }] })
    await send()
    await cluster.fault({ family: 'storage', kind: 'slow', where: { topic: 'orders' }, with: { operation: 'write', ms: 1500 } })
    const began = performance.now()
    let late = true
    const sent = send().then(() => (late = false))
    // The broker goes on meanwhile.
    await admin.createTopics({ topics: [{ topic: 'other', numPartitions: 1, replicationFactor: 1 }] })
    expect(late).toBe(true)
    await sent
    expect(performance.now() - began).toBeGreaterThan(1450)
    await producer.disconnect()
    await admin.disconnect()
  })
})

describe('a machine that loses its power', () => {
  it.each([
    ['loses what was acknowledged and is on no other machine', '9223372036854775807', 0],
    ['loses nothing of a topic that is flushed with each record', '1', 5],
  ])('%s', async (_, flush, left) => {
    await using cluster = await start({ brokers: 1 })
    const kafka = kafkaFor(cluster.bootstrap)
    const admin = kafka.admin()
    await admin.connect()
    const configEntries = [{ name: 'flush.messages', value: flush }]
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1, replicationFactor: 1, configEntries }] })
    const producer = kafka.producer()
    await producer.connect()
    await cluster.fault({ family: 'storage', kind: 'lose-unsynced', where: { topic: 'orders', file: 'log' } })
    for (let i = 0; i < 5; i++) await producer.send({ topic: 'orders', acks: -1, messages: [{ value: `v${i}` }] })
    await cluster.kill('broker:1')
    await cluster.restart('broker:1')
    await until('its end', async () => {
      const [end] = await admin.fetchTopicOffsets('orders').catch(() => [])
      return end?.high === String(left)
    })
    expect((await cluster.faults())[0]!.hits).toBe(left === 0 ? 1 : 0)
    await producer.disconnect()
    await admin.disconnect()
  })
})

describe("the disk of the quorum's log", () => {
  it('that is full ends the active controller; another is active, and nothing is lost', async () => {
    await using cluster = await start({ controllers: 3 })
    const { kafka, producer, send } = await producerTo(cluster)
    const active = (await cluster.cluster.find('controller:active')).name
    const { id } = await cluster.fault({ family: 'storage', kind: 'full', node: active })
    await createTopic(kafka, 'later', 1)
    expect((await cluster.cluster.find('controller:active')).name).not.toBe(active)
    expect(await stateOf(cluster, active)).toMatch(/stopped/)
    const hit = (await cluster.cluster.faults()).find((f) => f.id === id)!.lastHit
    expect(hit).toMatchObject({ node: active, operation: 'write' })
    await cluster.healAll()
    await cluster.restart(active)
    await until('its return', async () => /active|follower/.test(await stateOf(cluster, active)))
    await send()
    await producer.disconnect()
  })

  it('that is slow makes metadata late, not records', async () => {
    await using cluster = await start({ controllers: 1 })
    const { kafka, producer, send } = await producerTo(cluster)
    await cluster.fault({ family: 'storage', kind: 'slow', where: { file: 'raft' }, with: { operation: 'sync', ms: 300 } })
    const began = performance.now()
    let late = true
    const created = createTopic(kafka, 'later', 1).then(() => (late = false))
    await send()
    expect(late).toBe(true)
    await created
    expect(performance.now() - began).toBeGreaterThan(290)
    await producer.disconnect()
  })
})

describe('a broker that crashes at a point in its code', () => {
  it.each(['produce.appended', 'produce.replicated'])(
    '%s: the record is there once, the client that sent it again hears so',
    async (point) => {
      await using cluster = await start()
      const { kafka, producer, acknowledged } = await producerTo(cluster)
      const leader = await cluster.waitForLeader('orders-0')
      const idempotent = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
      await idempotent.connect()
      await cluster.fault({ family: 'process', kind: 'crash-at-point', where: { point }, count: 1 })
      await idempotent.send({ topic: 'orders', acks: -1, messages: [{ value: 'once' }] })
      expect(await stateOf(cluster, `broker:${leader}`)).toMatch(/SIGKILL/)
      await cluster.healAll()
      await cluster.waitForIsr('orders-0', 3)
      const found = await readAll(cluster, acknowledged.length + 1)
      expect(found.has('once')).toBe(true)
      await idempotent.disconnect()
      await producer.disconnect()
    },
  )
})
