// What operators do to whole clusters and to disks: nodes are restarted one after the other, a broker loses all that it has. Clients outside go on.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClusterEvent, type FaultRequestInput, startCluster, type StartedCluster } from '@faultline/director'
import type { Kafka } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rollOf } from '../kinds/process.ts'
import { createTopic, DIST, kafkaFor, replicasOf, until, withAdmin } from '../support/cluster.ts'
import { type Traffic, trafficTo } from '../support/traffic.ts'

let cluster: StartedCluster
let kafka: Kafka
let traffic: Traffic
const events: ClusterEvent[] = []
const stop = new AbortController()

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, controllers: 3 }, DIST)
  kafka = kafkaFor(cluster.bootstrap)
  await createTopic(kafka, 'orders', 3)
  traffic = await trafficTo(kafka, 'orders')
  void (async () => {
    for await (const event of cluster.events(0, stop.signal)) events.push(event)
  })().catch(() => {})
})
afterAll(async () => {
  stop.abort()
  await cluster[Symbol.asyncDispose]()
})

const process = (kind: string, more: Partial<FaultRequestInput> = {}) => cluster.fault({ family: 'process', kind, ...more })
const faultNamed = async (id: string) => (await cluster.faults()).find((f) => f.id === id)!
const spent = (id: string) => until(`the end of ${id}`, async () => (await faultNamed(id)).state === 'spent', 60_000)

const story = (id: string) => rollOf(events, id)

describe('a rolling restart', () => {
  it('of controllers takes the active one last', async () => {
    const active = (await cluster.cluster.find('controller:active')).name
    const { id } = await process('roll', { with: { target: 'controllers' } })
    await spent(id)
    expect(
      story(id)
        .filter((s) => s.startsWith('exit'))
        .at(-1),
    ).toBe(`exit ${active}`)
    expect(story(id)).toHaveLength(6)
    await traffic.more(10)
  })

  it('that is healed stops with the node that it is at', async () => {
    const { id } = await process('roll', { with: { target: 'all' } })
    await until('its first node', async () => story(id).length >= 1)
    await cluster.heal(id)
    const running = async () => (await cluster.cluster.nodes()).every((n) => /running|active|follower/.test(n.state))
    await until('all nodes', running)
    expect(story(id).filter((s) => s.startsWith('exit')).length).toBeLessThan(3)
    await traffic.more(10)
  })
})

describe('a broker that loses its disk', () => {
  const directoryOf = (broker: number) => {
    const properties = readFileSync(join(cluster.cluster.folder.data(`broker:${broker}`), 'meta.properties'), 'utf8')
    return /^directory\.id=(.+)$/m.exec(properties)![1]
  }

  it('comes back as a new directory and replicates everything', async () => {
    for (const partition of [0, 1, 2]) await cluster.waitForIsr(`orders-${partition}`, 3)
    const leader = await cluster.waitForLeader('orders-0')
    const before = directoryOf(leader)
    const { id } = await process('wipe', { node: 'leader:orders-0', count: 1 })
    await until('its hit', async () => (await faultNamed(id)).state === 'spent')
    await until(
      'the broker',
      async () => (await cluster.cluster.nodes()).find((n) => n.name === `broker:${leader}`)!.state === 'running',
    )
    for (const partition of [0, 1, 2]) await cluster.waitForIsr(`orders-${partition}`, 3)
    expect(directoryOf(leader)).not.toBe(before)
    await traffic.more(10)
    await traffic.pause()
    for (const partition of [0, 1, 2])
      await until('even replicas', async () => {
        const ends = [...(await replicasOf(cluster.cluster, 'orders', partition)).values()].map((r) => r.logEndOffset)
        return ends.length === 3 && ends[0]! > 0 && new Set(ends).size === 1
      })
    await cluster.healAll()
    await traffic.resume()
  })

  it('is spared where nobody else has what it has, unless it is said twice', async () => {
    await withAdmin(kafka, (admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'single', numPartitions: 1, replicationFactor: 1 }] }),
    )
    const leader = await cluster.waitForLeader('single-0')
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'single', messages: [{ value: 'x' }] })
    await expect(process('wipe', { node: `broker:${leader}` })).rejects.toThrow(
      `no other replica is in sync with broker:${leader} on single-0`,
    )
    expect((await replicasOf(cluster.cluster, 'single', 0)).get(leader)!.logEndOffset).toBe(1)
    await process('wipe', { node: `broker:${leader}`, with: { force: true } })
    await until('an empty log', async () => (await replicasOf(cluster.cluster, 'single', 0)).get(leader)?.logEndOffset === 0)
    for (const partition of [0, 1, 2]) await cluster.waitForIsr(`orders-${partition}`, 3)
    await producer.disconnect()
    await cluster.healAll()
  })

  it('is no controller: it would forget whom it voted for', async () => {
    await expect(process('wipe', { node: 'controller:101' })).rejects.toThrow('would forget whom it voted for')
    await expect(process('wipe', { node: 'controller:active' })).rejects.toThrow('would forget whom it voted for')
  })
})

it('nothing that was acknowledged through all of it is lost', async () => {
  await traffic.stop()
  await traffic.expectAllThere()
})
