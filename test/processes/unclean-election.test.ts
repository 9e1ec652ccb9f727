// A partition without a leader: what a person sees of it, asks for, and loses by an unclean election, on real processes.
import type { Connection } from '@faultline/client'
import { type ClusterEvent, startCluster, type StartedCluster } from '@faultline/director'
import { buildBatch, describeTopicPartitions, electLeaders, Errors, fetch as fetchApi, produce } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { connectTo, readAll, send } from '../support/client.ts'
import { createTopic, DIST, kafkaFor, replicasOf, until } from '../support/cluster.ts'
import { parseExposition } from '../support/exposition.ts'

const PREFERRED = 0
const UNCLEAN = 1

const node = (broker: number) => `broker:${broker}`

/** As soon as it serves. */
async function connect({ cluster }: StartedCluster, broker: number): Promise<Connection> {
  const { port } = await until(`${node(broker)} to serve`, async () => {
    const found = await cluster.find(node(broker))
    return found.state === 'running' && found
  })
  return connectTo(`127.0.0.1:${port}`)
}

/** Acknowledged by the leader alone. */
async function sendToOne(connection: Connection, ...values: string[]): Promise<number> {
  const records = buildBatch(values.map((value) => ({ key: null, value: Buffer.from(value), timestamp: Date.now() })))
  const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }]
  const { responses } = await connection.request(produce, 12, { acks: 1, timeoutMs: 10_000, topicData })
  return responses[0]!.partitionResponses[0]!.errorCode
}

async function elect(connection: Connection, electionType: number): Promise<number> {
  const topicPartitions = [{ topic: 'orders', partitions: [0] }]
  const reply = await connection.request(electLeaders, 2, { electionType, topicPartitions, timeoutMs: 10_000 })
  return reply.replicaElectionResults[0]!.partitionResult[0]!.errorCode
}

async function describePartition(connection: Connection) {
  const { topics } = await connection.request(describeTopicPartitions, 0, { topics: [{ name: 'orders' }] })
  return topics[0]!.partitions[0]!
}

/** As a consumer that has read up to `fetchOffset` in `lastFetchedEpoch`. */
async function fetchAt(connection: Connection, fetchOffset: number, lastFetchedEpoch: number) {
  const partitions = [{ partition: 0, fetchOffset, lastFetchedEpoch, partitionMaxBytes: 1 << 20 }]
  const reply = await connection.request(fetchApi, 12, { maxWaitMs: 0, topics: [{ topic: 'orders', partitions }] })
  return reply.responses[0]!.partitions[0]!
}

async function uncleanElections({ cluster }: StartedCluster): Promise<number> {
  const { httpPort } = await cluster.find('controller:101')
  const scrape = parseExposition(await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text())
  return scrape.value('kafka_controller_controllerstats_uncleanleaderelections_total')
}

async function firstEvent(cluster: StartedCluster, wanted: (event: ClusterEvent) => boolean): Promise<ClusterEvent> {
  const found = new AbortController()
  for await (const event of cluster.events(0, found.signal)) if (wanted(event)) return event
  throw new Error('the stream of events ended')
}

describe('a partition whose last in-sync replica died', () => {
  it('gets a leader when one is asked for, without what the dead one alone had', async () => {
    await using cluster = await startCluster({ controllers: 1 }, DIST)
    await createTopic(kafkaFor(cluster.bootstrap), 'orders', 1, {})
    const last = await cluster.waitForLeader('orders-0')
    const [back, other] = [1, 2, 3].filter((id) => id !== last) as [number, number]
    const leader = await connect(cluster, last)
    expect((await send(leader, 'orders', 'kept')).errorCode).toBe(Errors.NONE)
    for (const id of [back, other]) await cluster.kill(node(id))
    await cluster.waitForIsr('orders-0', 1)
    expect(await sendToOne(leader, 'lost', 'lost too')).toBe(Errors.NONE)
    const { leaderEpoch: lostEpoch } = await describePartition(leader)
    await cluster.kill(node(last))
    await cluster.waitForIsr('orders-0', 0)

    await cluster.restart(node(back))
    const next = await connect(cluster, back)
    const offline = { leaderId: -1, isrNodes: [], eligibleLeaderReplicas: [last], lastKnownElr: [last] }
    expect(await describePartition(next)).toMatchObject(offline)
    expect(await elect(next, PREFERRED)).toBe(Errors.PREFERRED_LEADER_NOT_AVAILABLE)
    expect(await uncleanElections(cluster)).toBe(0)
    expect(await elect(next, UNCLEAN)).toBe(Errors.NONE)
    await until('the leader to know', async () => (await replicasOf(cluster.cluster, 'orders', 0)).get(back)?.leads)

    expect(await firstEvent(cluster, (e) => e['unclean'] === true)).toMatchObject({ event: 'partition.change', leader: back })
    expect(await uncleanElections(cluster)).toBe(1)
    expect(await readAll(next, 'orders')).toEqual(['kept'])
    expect((await fetchAt(next, 3, -1)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    const parted = { errorCode: Errors.NONE, divergingEpoch: { epoch: lostEpoch, endOffset: 1 } }
    expect(await fetchAt(next, 3, lostEpoch)).toMatchObject(parted)
    expect((await send(next, 'orders', 'after')).errorCode).toBe(Errors.NONE)

    for (const id of [last, other]) await cluster.restart(node(id))
    await cluster.waitForIsr('orders-0', 3)
    const truncated = await firstEvent(cluster, (e) => e.event === 'replica.truncate' && e.node === node(last))
    expect(truncated).toMatchObject({ topic: 'orders', partition: 0, from: 3, to: 1 })
    const ends = [...(await replicasOf(cluster.cluster, 'orders', 0)).values()].map((replica) => replica.logEndOffset)
    expect(ends).toEqual([2, 2, 2])
    expect(await readAll(next, 'orders')).toEqual(['kept', 'after'])
    for (const connection of [leader, next]) connection.close()
  })
})
