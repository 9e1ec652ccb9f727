// Clients without manners beside one that is well-behaved: it notices nothing, and the brokers say what they met.
import { describe, expect, it } from 'vitest'
import { startCluster } from '@faultline/director'
import { createTopic, DIST, kafkaFor, until } from '../support/cluster.ts'

describe('load', () => {
  it.each([
    ['connections', { count: 300 }],
    ['garbage', {}],
    ['huge-request', {}],
    ['slow-reader', {}],
  ])('of %s disturbs nobody else', async (kind, parameters) => {
    await using cluster = await startCluster({ brokers: 3, controllers: 1 }, DIST)
    const kafka = kafkaFor(cluster.bootstrap)
    await createTopic(kafka, 'orders', 3)
    const producer = kafka.producer()
    await producer.connect()
    const send = () => producer.send({ topic: 'orders', acks: -1, messages: [{ value: 'x' }] })
    await send()
    const { id } = await cluster.fault({ family: 'load', kind, with: parameters as Record<string, number> })
    const hits = async () => (await cluster.faults()).find((f) => f.id === id)!.hits
    await until('a hit at each broker', async () => (await hits()) >= 3)
    for (let i = 0; i < 10; i++) await send()
    await cluster.healAll()
    expect((await cluster.cluster.nodes()).map((n) => n.state).filter((s) => !/running|active/.test(s))).toEqual([])
    await producer.disconnect()
  })
})
