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
    await cluster.fault({ family: 'storage', kind: 'slow', where: { file: 'log' }, with: { operation: 'write', ms: 400 } })
    const began = performance.now()
    await send()
    expect(performance.now() - began).toBeGreaterThan(390)
    await producer.disconnect()
    await admin.disconnect()
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
