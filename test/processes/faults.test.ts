// Faults on real processes, asked for as a test would: through the control API, with an unmodified client outside that sees the effect.
import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { type ClusterEvent, startCluster, type StartedCluster } from '@faultline/director'
import { createTopic, DIST, kafkaFor, until } from '../support/cluster.ts'

const start = (options = {}) => startCluster({ brokers: 3, controllers: 1, ...options }, DIST)

async function withOrders(cluster: StartedCluster) {
  const kafka = kafkaFor(cluster.bootstrap)
  await createTopic(kafka, 'orders', 1)
  const producer = kafka.producer()
  await producer.connect()
  const send = () => producer.send({ topic: 'orders', acks: -1, messages: [{ value: 'x' }] })
  await send()
  return { kafka, producer, send }
}

async function transactionalProducer(kafka: Kafka) {
  const producer = kafka.producer({
    transactionalId: 't1',
    maxInFlightRequests: 1,
    idempotent: true,
    transactionTimeout: 3000,
  })
  await producer.connect()
  return producer
}

/** Events until one of this name comes. */
async function eventNamed(cluster: StartedCluster, name: string): Promise<ClusterEvent> {
  const ended = new AbortController()
  for await (const event of cluster.events(0, ended.signal)) if (event.event === name) return event
  throw new Error(`no ${name}`)
}

describe('a cluster in a test', () => {
  it('is broken and healed, and waited for', async () => {
    await using cluster = await start()
    const { producer, send } = await withOrders(cluster)
    const leader = await cluster.waitForLeader('orders-0')
    await cluster.kill('leader:orders-0')
    expect(await cluster.waitForLeader('orders-0', leader)).not.toBe(leader)
    await cluster.waitForIsr('orders-0', 2)
    await send()
    await cluster.restart(`broker:${leader}`)
    expect(await cluster.waitForIsr('orders-0', 3)).toContain(leader)
    await producer.disconnect()
  })
})

describe('a fault', () => {
  it('hits what it chooses, says so, and is over after its count', async () => {
    await using cluster = await start()
    const { producer, send } = await withOrders(cluster)
    const { id } = await cluster.fault({
      family: 'protocol',
      kind: 'lose-reply',
      where: { apis: ['Produce'], topic: 'orders' },
      count: 1,
    })
    await send()
    const fault = await until('the hit', async () => (await cluster.faults()).find((f) => f.id === id && f.state === 'spent'))
    expect(fault).toMatchObject({ hits: 1, lastHit: { api: 'Produce', topic: 'orders', partition: 0 } })
    await send()
    expect((await cluster.faults())[0]!.hits).toBe(1)
    await producer.disconnect()
  })

  it('ends with its time to live, also in a broker that starts again meanwhile', async () => {
    await using cluster = await start({ brokers: 1 })
    const kafka = kafkaFor(cluster.bootstrap)
    const { id } = await cluster.fault({
      family: 'protocol',
      kind: 'error',
      where: { apis: ['CreateTopics'] },
      ttl: '4s',
      with: { error: 'POLICY_VIOLATION' },
    })
    const admin = kafka.admin()
    const create = () => admin.createTopics({ topics: [{ topic: 'a', numPartitions: 1, replicationFactor: 1 }] })
    await cluster.restart('broker:1')
    await until('the broker', async () => (await cluster.cluster.nodes()).every((n) => n.state !== 'starting'))
    await admin.connect()
    await expect(create()).rejects.toThrow('Topic creation errors')
    await until('its end', async () => (await cluster.faults()).find((f) => f.id === id)?.state === 'expired')
    await create()
    await admin.disconnect()
  })

  it('of a process is undone when it is healed', async () => {
    await using cluster = await start()
    const { producer, send } = await withOrders(cluster)
    await cluster.fault({ family: 'process', kind: 'kill', node: 'leader:orders-0' })
    await cluster.waitForIsr('orders-0', 2)
    await send()
    await cluster.fault({ family: 'process', kind: 'pause', node: 'controller:101', ttl: '1s' })
    expect((await cluster.healAll()).healed).toBe(2)
    await cluster.waitForIsr('orders-0', 3)
    const states = (await cluster.cluster.nodes()).map((n) => n.state)
    expect(states.filter((s) => s !== 'running' && s !== 'active')).toEqual([])
    await producer.disconnect()
  })

  it('of a process strikes in the moment in which its condition comes true', async () => {
    // If the decision was on no other replica yet, the next coordinator finds the transaction open, and aborts it in time.
    const settings = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' }
    await using cluster = await start({ settings })
    const { kafka, producer } = await withOrders(cluster)
    const transactional = await transactionalProducer(kafka)
    await cluster.fault({
      family: 'process',
      kind: 'kill',
      node: 'coordinator:txn:t1',
      when: 'txn(t1).state = PrepareCommit',
      count: 1,
    })
    const transaction = await transactional.transaction()
    await transaction.send({ topic: 'orders', messages: [{ value: 'in a transaction' }] })
    // Its answer is held back, and then lost with the coordinator.
    await transaction.commit().catch(() => {})
    // What was caught is the decision: nothing that came of it had left when the coordinator died.
    const killed = await eventNamed(cluster, 'process.exit')
    const ended: ClusterEvent[] = []
    const isComplete = (e: ClusterEvent) => String(e['state']).startsWith('Complete')
    const stop = new AbortController()
    const follow = (async () => {
      for await (const e of cluster.events(0, stop.signal)) if (e.event === 'transaction.state') ended.push(e)
    })().catch(() => {})
    await until('the new coordinator', async () => ended.some(isComplete))
    stop.abort()
    await follow
    expect(killed).toMatchObject({ how: 'SIGKILL' })
    expect(ended.find(isComplete)!.node).not.toBe(killed['name'])
    expect((await cluster.faults())[0]).toMatchObject({ state: 'spent', hits: 1 })
    await transactional.disconnect()
    await producer.disconnect()
  })

  it('of a process that cannot be done in its moment says why, and waits for the next', async () => {
    await using cluster = await start()
    const { kafka, producer } = await withOrders(cluster)
    const transactional = await transactionalProducer(kafka)
    const { id } = await cluster.fault({
      family: 'process',
      kind: 'pause',
      node: 'leader:later-0',
      when: 'txn(t1).state = Ongoing',
      count: 1,
    })
    const begin = async () => {
      const transaction = await transactional.transaction()
      await transaction.send({ topic: 'orders', messages: [{ value: 'in a transaction' }] })
      return transaction
    }
    const first = await begin()
    expect(await eventNamed(cluster, 'fault.miss')).toMatchObject({ fault: id, reason: 'there is no partition later-0' })
    await first.abort()
    expect(await cluster.faults()).toMatchObject([{ state: 'armed', hits: 0 }])
    await createTopic(kafka, 'later', 1)
    const leader = await cluster.waitForLeader('later-0')
    const second = begin().catch(() => {})
    await until('the hit', async () => (await cluster.faults())[0]!.hits === 1)
    expect((await cluster.faults())[0]).toMatchObject({ state: 'spent', lastHit: { node: `broker:${leader}` } })
    await cluster.healAll()
    await second
    await transactional.disconnect()
    await producer.disconnect()
  })
})
