// The record at the brokers' edge, on real processes: what clients asked, what they were answered, and whether they heard of it.
import type { EdgeLine } from '@faultline/director'
import { Partitioners } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, kafkaFor, leaderOf, startTestCluster, type TestCluster } from '../support/cluster.ts'

type Line = EdgeLine & { readonly api: string; readonly request: any; readonly answer: any; readonly left?: boolean }

const SETTINGS = { 'offsets.topic.num.partitions': '1', 'transaction.state.log.num.partitions': '1' }

let test: TestCluster
beforeAll(async () => {
  test = await startTestCluster({ settings: SETTINGS })
  await createTopic(test.kafka, 't', 1)
})
afterAll(() => test[Symbol.asyncDispose]())

async function lines(api?: string): Promise<Line[]> {
  const found: Line[] = []
  for await (const line of test.cluster.edge()) if (api === undefined || line['api'] === api) found.push(line as Line)
  return found.sort((a, b) => a.mono - b.mono)
}

/** With their ends. */
const ended = async (api: string) => (await lines(api)).filter((l) => l.left !== undefined)

async function send(value: string, idempotent = true, kafka = test.kafka): Promise<void> {
  const producer = kafka.producer({ idempotent, createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic: 't', messages: [{ key: 'k', value }] })
  await producer.disconnect()
}

describe('the record at the edge', () => {
  it('is not there until somebody asks for it', async () => {
    await send('before')
    expect(await lines()).toEqual([])
    await test.cluster.record()
    await send('after')
    const [line, ...others] = await ended('Produce')
    expect(others).toEqual([])
    expect(line).toMatchObject({
      node: expect.stringMatching(/^broker:/),
      client: 'test',
      remote: expect.stringMatching(/^127\.0\.0\.1:/),
      request: {
        acks: -1,
        partitions: [{ topic: 't', partition: 0, records: 1, sequence: 0, epoch: 0, digests: [expect.any(String)] }],
      },
      answer: { partitions: [{ topic: 't', partition: 0, offset: 1 }] },
      tookMs: expect.any(Number),
      left: true,
    })
    expect(Math.abs(line!.t - Date.now())).toBeLessThan(60_000)
  })

  it('has what a group was given, read and committed', async () => {
    const consumer = test.kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic: 't', fromBeginning: true })
    let read = 0
    await consumer.run({ autoCommitThreshold: 1, eachMessage: async () => void read++ })
    await expect.poll(() => read, { timeout: 20_000 }).toBe(2)
    await expect.poll(async () => (await ended('OffsetCommit')).length, { timeout: 20_000 }).toBeGreaterThan(0)
    await consumer.disconnect()
    const [joined] = await ended('SyncGroup')
    const { generation, member } = joined!.request
    expect(joined).toMatchObject({ request: { group: 'g' }, answer: { partitions: [{ topic: 't', partition: 0 }] } })
    const given = (await ended('Fetch')).flatMap((l) => l.answer.partitions)
    expect(given).toContainEqual(expect.objectContaining({ topic: 't', partition: 0, from: 0 }))
    expect((await ended('OffsetCommit')).at(-1)).toMatchObject({
      request: { group: 'g', generation, member, partitions: [{ topic: 't', partition: 0, offset: 2 }] },
      answer: { partitions: [{ topic: 't', partition: 0 }] },
    })
    expect(await ended('LeaveGroup')).toMatchObject([{ request: { group: 'g', members: [member] }, answer: {} }])
  })

  it('has transactions', async () => {
    const producer = test.kafka.producer({ transactionalId: 'x', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic: 't', messages: [{ value: 'in it' }] })
    await transaction.sendOffsets({ consumerGroupId: 'h', topics: [{ topic: 't', partitions: [{ partition: 0, offset: '1' }] }] })
    await transaction.abort()
    await producer.disconnect()
    const [end] = await ended('EndTxn')
    expect(end).toMatchObject({ request: { transactionalId: 'x', committed: false }, answer: {} })
    const { producer: id, epoch } = end!.request
    expect((await ended('InitProducerId')).at(-1)).toMatchObject({ answer: { producer: id, epoch } })
    expect(await ended('AddPartitionsToTxn')).toMatchObject([
      { request: { producer: id, partitions: [{ topic: 't', partition: 0 }] } },
    ])
    expect(await ended('TxnOffsetCommit')).toMatchObject([{ request: { group: 'h', partitions: [{ offset: 1 }] } }])
    const sent = (await ended('Produce')).flatMap((l) => l.request.partitions)
    expect(sent.at(-1)).toMatchObject({ producer: id, epoch, transactional: true })
  })

  it('knows which answers never left', async () => {
    const before = (await ended('Produce')).length
    const { id } = await test.cluster.addFault({ family: 'protocol', kind: 'lose-reply', where: { apis: ['Produce'] }, count: 1 })
    await send('twice', false)
    await test.cluster.heal(id)
    const since = (await ended('Produce')).slice(before)
    expect(since.map((l) => l.left)).toEqual([false, true])
    const [lost, again] = since
    expect(again!.request.partitions[0].digests).toEqual(lost!.request.partitions[0].digests)
    expect(again!.answer.partitions[0].offset).toBeGreaterThan(0)
  })

  it('has what its broker died over, and goes on when that is back', async () => {
    const { leader } = (await leaderOf(test.cluster, 't', 0))!
    const followers = [1, 2, 3].filter((n) => n !== leader)
    for (const follower of followers) await test.cluster.act('pause', `broker:${follower}`)
    // Others would not answer.
    const [its] = test.bootstrap.split(',').slice(leader - 1)
    const sending = send('open', false, kafkaFor(its!, { requestTimeout: 5000 }))
    await expect.poll(async () => open(await lines('Produce')).length, { timeout: 20_000 }).toBe(1)
    await test.cluster.act('kill', `broker:${leader}`)
    for (const follower of followers) await test.cluster.act('resume', `broker:${follower}`)
    await test.cluster.act('restart', `broker:${leader}`)
    await sending
    const all = await lines('Produce')
    expect(open(all)).toMatchObject([{ node: `broker:${leader}`, request: { partitions: [{ topic: 't', records: 1 }] } }])
    await expect
      .poll(async () => (await lines()).filter((l) => l.node === `broker:${leader}`).some((l) => l.life > open(all)[0]!.life))
      .toBe(true)
  })
})

/** Begun, and never ended. */
function open(all: readonly Line[]): Line[] {
  const key = (l: Line) => `${l.node} ${l.life} ${l.number}`
  const over = new Set(all.filter((l) => l.left !== undefined).map(key))
  return all.filter((l) => l.left === undefined && !over.has(key(l)))
}
