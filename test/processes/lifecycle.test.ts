// Clusters as processes: what a person does with up, kill, pause, restart and down.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { Cluster, isAlive, PortMarks } from '@faultline/director'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, kafkaFor, leaderOf, replicasOf, startTestCluster, type TestCluster, until } from '../support/cluster.ts'

async function send(bootstrap: string, topic: string, values: readonly string[], idempotent = true): Promise<void> {
  const producer = kafkaFor(bootstrap).producer({ idempotent })
  await producer.connect()
  for (const value of values) await producer.send({ topic, acks: -1, messages: [{ value, partition: 0 }] })
  await producer.disconnect()
}

describe('a cluster of three and three', () => {
  let test: TestCluster
  beforeAll(async () => {
    test = await startTestCluster()
    await createTopic(test.kafka, 'orders', 1)
  })
  afterAll(() => test[Symbol.asyncDispose]())

  it('keeps a record on all three replicas before it is acknowledged', async () => {
    await send(test.bootstrap, 'orders', ['a', 'b', 'c'])
    const replicas = await replicasOf(test.cluster, 'orders', 0)
    expect([...replicas.values()].map((r) => r.logEndOffset)).toEqual([3, 3, 3])
  })

  it('elects another leader when the leader is killed, and takes it back when it returns', async () => {
    const before = (await leaderOf(test.cluster, 'orders', 0))!
    const killed = await test.cluster.act('kill', 'leader:orders-0')
    expect(killed).toMatchObject({ id: before.leader, state: 'stopped (SIGKILL)' })
    const after = await until('a new leader', async () => {
      const leader = await leaderOf(test.cluster, 'orders', 0)
      return leader && leader.leader !== killed.id && leader
    })
    expect(after.leaderEpoch).toBe(before.leaderEpoch + 1)
    await send(test.bootstrap, 'orders', ['d'])
    await test.cluster.act('restart', killed.name)
    await until('a full ISR', async () => (await leaderOf(test.cluster, 'orders', 0))?.isr.length === 3)
    const replicas = await until('even replicas', async () => {
      const all = [...(await replicasOf(test.cluster, 'orders', 0)).values()]
      return all.length === 3 && all.every((r) => r.logEndOffset === 4) && all
    })
    expect(replicas).toHaveLength(3)
  })

  it('goes on without clients noticing when the active controller is killed', async () => {
    const killed = await test.cluster.act('kill', 'controller:active')
    await send(test.bootstrap, 'orders', ['e'])
    await createTopic(test.kafka, 'made-after', 1)
    await test.cluster.act('restart', killed.name)
    await until('all controllers', async () => (await test.cluster.nodes()).every((n) => !n.state.startsWith('stopped')))
  })

  it('answers produce with two controllers gone, and times out what needs them', async () => {
    const controllers = (await test.cluster.nodes()).filter((n) => n.role === 'controller')
    for (const { name } of controllers.slice(0, 2)) await test.cluster.act('kill', name)
    // A new idempotent producer may need a block of ids from the controllers; records do not need them.
    await send(test.bootstrap, 'orders', ['f'], false)
    const admin = new Kafka({ brokers: test.bootstrap.split(','), logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
    await admin.connect()
    await expect(admin.createTopics({ timeout: 500, topics: [{ topic: 'never', numPartitions: 1 }] })).rejects.toMatchObject({
      errors: [{ type: 'REQUEST_TIMED_OUT' }],
    })
    await admin.disconnect()
    for (const { name } of controllers.slice(0, 2)) await test.cluster.act('restart', name)
    await until('an active controller', async () => (await test.cluster.nodes()).some((n) => n.state === 'active'))
  })

  it('keeps the ports of a node that is down from others who choose', async () => {
    const { name, port, httpPort } = await test.cluster.act('kill', 'broker:1')
    const others = new PortMarks()
    for (const taken of [port, httpPort])
      await until('a mark', async () => !(await others.take(taken)) || (others.release(), false))
    await test.cluster.act('restart', name)
    await until('a full ISR', async () => (await leaderOf(test.cluster, 'orders', 0))?.isr.length === 3)
  })

  it('pauses a node and lets it go on', async () => {
    expect(await test.cluster.act('pause', 'broker:2')).toMatchObject({ state: 'paused' })
    expect(await test.cluster.act('resume', 'broker:2')).not.toMatchObject({ state: 'paused' })
    await until('broker 2', async () => (await test.cluster.nodes()).some((n) => n.name === 'broker:2' && n.state === 'running'))
  })

  it('refuses nodes that it does not have, and says which it has', async () => {
    await expect(test.cluster.act('kill', 'broker:9')).rejects.toMatchObject({
      code: 'UNKNOWN_NODE',
      advice: expect.stringContaining('broker:1'),
    })
    await expect(test.cluster.act('kill', 'leader:nothing-0')).rejects.toMatchObject({ code: 'UNKNOWN_NODE' })
    await expect(test.cluster.act('resume', 'broker:1')).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })

  it('refuses a second cluster on its folder, naming who runs the first', async () => {
    const second = startTestCluster({ folder: test.cluster.folder.path })
    await expect(second).rejects.toThrow(/supervisor pid \d+/)
  })
})

describe('a folder', () => {
  it('keeps topics, records and epochs over down and up, on the same ports', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'))
    try {
      const first = await startTestCluster({ folder })
      await createTopic(first.kafka, 'kept', 1)
      await send(first.bootstrap, 'kept', ['a', 'b'])
      const epoch = (await leaderOf(first.cluster, 'kept', 0))!.leaderEpoch
      await first.cluster.down(false)
      await using second = await startTestCluster({ folder })
      expect(second.bootstrap).toBe(first.bootstrap)
      const leader = await until('the partition', () => leaderOf(second.cluster, 'kept', 0))
      expect(leader.logEndOffset).toBe(2)
      expect(leader.leaderEpoch).toBeGreaterThanOrEqual(epoch)
      await send(second.bootstrap, 'kept', ['c'])
      expect((await leaderOf(second.cluster, 'kept', 0))!.highWatermark).toBe(3)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('is left with nothing running, and gone with --wipe', async () => {
    const test = await startTestCluster({ brokers: 1, controllers: 1 })
    const pids = (await test.cluster.nodes()).map((n) => n.pid)
    expect(pids).toHaveLength(2)
    await test.cluster.down(true)
    expect(pids.filter(isAlive)).toEqual([])
    expect(() => readdirSync(test.cluster.folder.path)).toThrow('ENOENT')
  })

  it('that cannot be written is refused with what to do', async () => {
    const wish = startTestCluster({ folder: '/dev/null/nowhere' })
    await expect(wish).rejects.toMatchObject({ code: 'FOLDER_UNUSABLE', advice: expect.stringContaining('--dir') })
  })
})

it('a port that is taken is refused, naming who has it', async () => {
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  const { port } = holder.address() as { port: number }
  try {
    const error = await startTestCluster({ port, brokers: 1, controllers: 1 }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(Refusal)
    expect(error).toMatchObject({ code: 'PORT_TAKEN', message: expect.stringContaining(`port ${port} is in use`) })
    if (process.platform === 'linux') expect((error as Refusal).message).toContain(`pid ${process.pid}`)
  } finally {
    holder.close()
  }
})

it.each([
  [{ brokers: 0 }, /between 1 and 9/],
  [{ controllers: 2 }, /survive no more failures/],
  [{ settings: { 'no.such.setting': '1' } }, /no such broker configuration/],
  [{ settings: { 'num.partitions': 'many' } }, /Not a number/],
])('nonsense is refused, and leaves no folder: %j', async (options, message) => {
  const folder = join(tmpdir(), `faultline-test-refused-${process.pid}`)
  await expect(startTestCluster({ ...options, folder })).rejects.toThrow(message)
  expect(existsSync(folder)).toBe(false)
})

it('nodes end by themselves when their supervisor is killed', async () => {
  await using test = await startTestCluster({ brokers: 1, controllers: 1 })
  const pids = (await test.cluster.nodes()).map((n) => n.pid)
  process.kill(test.cluster.folder.supervisor()!.pid, 'SIGKILL')
  await until('the end of its nodes', async () => !pids.some(isAlive), 10_000)
  expect(() => Cluster.attach(test.cluster.folder.path)).toThrow(/no cluster runs/)
})

it('runs nine brokers and five controllers', async () => {
  await using test = await startTestCluster({ brokers: 9, controllers: 5 })
  await createTopic(test.kafka, 'wide', 9)
  await send(test.bootstrap, 'wide', ['a'])
})
