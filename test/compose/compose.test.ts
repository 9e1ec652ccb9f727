// The cluster under Compose, as a client on the host sees it while containers, links and disks are really broken.
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Producer } from 'kafkajs'
import type { FaultRequestInput } from '@faultline/director'
import { createTopic, kafkaFor, until } from '../support/cluster.ts'
import { ComposeCluster, missing } from './compose-cluster.ts'

const lacks = await missing()
if (lacks) console.log(`the cluster under Compose is not tested: ${lacks}`)

/** What a client gets that only connects: nodes close such a connection never, a port without a node behind it at once. */
function reach(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (what: string) => {
      socket.destroy()
      resolve(what)
    }
    socket.setTimeout(1000, () => end('open'))
    socket.once('error', () => end('dead'))
    socket.once('close', () => end('dead'))
  })
}

describe.skipIf(lacks !== undefined)(`the cluster under Compose${lacks ? ` (${lacks})` : ''}`, () => {
  let cluster: ComposeCluster
  let producer: Producer
  const acknowledged: string[] = []
  let sent = 0

  const send = async (count: number, by = producer) => {
    for (let i = 0; i < count; i++) {
      const value = `v${sent++}`
      await by.send({ topic: 'orders', acks: -1, messages: [{ value }] })
      acknowledged.push(value)
    }
  }
  const inSync = (size: number) =>
    until(`${size} in-sync replicas`, async () => (await cluster.isr('orders')).length === size, 60_000)
  const leader = async () => (await cluster.find('leader:orders-0')).name
  const follower = async () => {
    const name = await leader()
    return ['broker:1', 'broker:2', 'broker:3'].find((n) => n !== name)!
  }

  beforeAll(async () => {
    cluster = await ComposeCluster.prepare()
    await cluster.build()
    const began = performance.now()
    await cluster.up()
    await cluster.ready()
    await createTopic(kafkaFor(cluster.bootstrap), 'orders', 1)
    producer = kafkaFor(cluster.bootstrap).producer()
    await producer.connect()
    await send(1)
    console.log(`first acks=all record ${Math.round(performance.now() - began)} ms after compose up`)
  }, 600_000)

  afterEach(async () => {
    await cluster.healAll()
  })

  afterAll(async () => {
    await producer?.disconnect()
    await cluster?.down()
    expect(await cluster?.leftovers()).toBe('')
  }, 120_000)

  it('goes on while the leader is paused, and has it back', async () => {
    const before = await leader()
    await cluster.fault({ family: 'process', kind: 'pause', node: before })
    expect((await cluster.find(before)).state).toBe('paused')
    await until('another leader', async () => (await leader().catch(() => before)) !== before)
    // kafkajs asks a broker that does not answer for ever: a client that comes now finds the others.
    const others = cluster.bootstrap.split(',').filter((_, i) => before !== `broker:${i + 1}`)
    const late = kafkaFor(others.join(',')).producer()
    await late.connect()
    await send(10, late)
    await late.disconnect()
    await cluster.healAll()
    await inSync(3)
  })

  it('goes on when the container of the leader is killed, and has it back', async () => {
    const before = await leader()
    await cluster.fault({ family: 'process', kind: 'kill', node: before })
    expect((await cluster.find(before)).state).toBe('stopped (SIGKILL)')
    await send(10)
    await cluster.healAll()
    await inSync(3)
  })

  it('loses a follower whose link to the leader is cut both ways', async () => {
    await cluster.fault({ family: 'link', kind: 'cut', from: await follower(), to: await leader(), plane: 'replication' })
    // Without anything new nobody is behind.
    await Promise.all([inSync(2), send(10)])
    await cluster.healAll()
    await inSync(3)
  })

  it('loses a follower that hears the controllers, and is not heard', async () => {
    const deaf = await follower()
    await cluster.fault({ family: 'link', kind: 'cut', from: deaf, plane: 'control', with: { ways: 'one' } })
    await inSync(2)
    expect((await cluster.find(deaf)).state).toBe('running')
    await send(10)
    await cluster.healAll()
    await inSync(3)
  })

  it('answers with the errors that it is told to', async () => {
    const error = { family: 'protocol', kind: 'error', where: { apis: ['Produce'] }, with: { error: 'NOT_LEADER_OR_FOLLOWER' } }
    const { id } = await cluster.fault({ ...error, count: 2 } as FaultRequestInput)
    await send(3)
    expect(await cluster.faultOf(id)).toMatchObject({ hits: 2, state: 'spent' })
  })

  it('has no link that does not go through Toxiproxy: with all proxies off, nobody hears anybody', async () => {
    expect(await Promise.all(cluster.ports.map(reach))).toEqual(['open', 'open', 'open'])
    await cluster.fault({ family: 'link', kind: 'refuse' })
    await until('controllers that lead nobody', async () => (await cluster.nodes()).every((n) => n.state !== 'active'))
    expect(await Promise.all(cluster.ports.map(reach))).toEqual(['dead', 'dead', 'dead'])
    await cluster.healAll()
    await cluster.ready()
    await inSync(3)
    await send(10)
  })

  it('goes on when the disk of a broker is full', async () => {
    const topic = { topic: 'large', acks: -1, messages: [{ value: Buffer.alloc(500_000, 'x') }] }
    await createTopic(kafkaFor(cluster.bootstrap), 'large', 1)
    const full = async () => (await cluster.find('broker:3')).state === 'stopped (exit code 78)'
    await until(
      'a broker that has no room',
      async () => {
        await producer.send(topic)
        return full()
      },
      150_000,
    )
    await inSync(2)
    await send(10)
  }, 240_000)

  it('has every record that it acknowledged', async () => {
    const consumer = kafkaFor(cluster.bootstrap).consumer({ groupId: 'audit' })
    const found = new Set<string>()
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void found.add(message.value!.toString()) })
    await until('all records', async () => acknowledged.every((value) => found.has(value)))
    await consumer.disconnect()
  })
})
