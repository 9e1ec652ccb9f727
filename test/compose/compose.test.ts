// The cluster under Compose, as a client on the host sees it while containers, links and disks are really broken, and what it is started with.
// Each kind of fault is in every-kind.test.ts.
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Producer } from 'kafkajs'
import type { FaultRequestInput } from '@faultline/director'
import { createTopic, kafkaFor, until } from '../support/cluster.ts'
import { ComposeCluster } from './compose-cluster.ts'

const lacks = inject('lacks')

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

describe.skipIf(lacks !== '')(`the cluster under Compose${lacks ? ` (${lacks})` : ''}`, () => {
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
  const inSync = (size: number) => cluster.control.waitForIsr('orders-0', size, 60_000)
  const leader = async () => `broker:${await cluster.control.waitForLeader('orders-0')}`
  const follower = async () => {
    const name = await leader()
    return ['broker:1', 'broker:2', 'broker:3'].find((n) => n !== name)!
  }
  const fault = (request: FaultRequestInput) => cluster.control.addFault(request)
  const hitsOf = async (id: string) => (await cluster.control.faults()).find((f) => f.id === id)!.hits
  /** Everything is healed, and all replicas are back. */
  const mend = async () => {
    await cluster.control.healAll()
    await inSync(3)
    await send(2)
  }

  beforeAll(async () => {
    const began = performance.now()
    cluster = await ComposeCluster.start(inject('image'), 'test/compose/small-disk.yaml')
    await createTopic(kafkaFor(cluster.bootstrap), 'orders', 1)
    producer = kafkaFor(cluster.bootstrap).producer()
    await producer.connect()
    await send(1)
    console.log(`first acks=all record ${Math.round(performance.now() - began)} ms after compose up`)
  }, 600_000)

  afterEach(async () => {
    await cluster.control.healAll()
  })

  afterAll(async () => {
    await producer?.disconnect()
    await cluster?.stop()
  }, 120_000)

  it('goes on while the leader is paused, and has it back', async () => {
    const before = await leader()
    const { id } = await fault({ family: 'process', kind: 'pause', node: 'leader:orders-0' })
    expect(await hitsOf(id)).toBe(1)
    expect(await cluster.stateOf(before)).toBe('paused')
    await until('another leader', async () => (await leader()) !== before)
    // kafkajs asks a broker that does not answer for ever: a client that comes now finds the others.
    const others = cluster.bootstrap.split(',').filter((_, i) => before !== `broker:${i + 1}`)
    const late = kafkaFor(others.join(',')).producer()
    await late.connect()
    await send(10, late)
    await late.disconnect()
    await mend()
  })

  it('kills the leader in the moment in which a condition comes true', async () => {
    const [before, late] = [await leader(), await follower()]
    const { id } = await fault({ family: 'process', kind: 'kill', node: before, when: 'isr(orders-0).size = 2', count: 1 })
    await fault({ family: 'link', kind: 'cut', from: late, to: before, plane: 'replication' })
    await Promise.all([send(10), until('the kill', async () => (await hitsOf(id)) === 1)])
    await mend()
  })

  it('loses a follower whose link to the leader is cut both ways', async () => {
    const request = { from: await follower(), to: await leader(), plane: 'replication' } as const
    const { id } = await fault({ family: 'link', kind: 'cut', ...request })
    // Without anything new nobody is behind.
    await Promise.all([inSync(2), send(10)])
    expect(await hitsOf(id)).toBeGreaterThan(0)
    await mend()
  })

  it('loses a follower that hears the controllers, and is not heard', async () => {
    const deaf = await follower()
    await fault({ family: 'link', kind: 'cut', from: deaf, plane: 'control', with: { ways: 'one' } })
    await inSync(2)
    expect(await cluster.stateOf(deaf)).toBe('running')
    await send(10)
    await mend()
  })

  it('goes on by itself when Toxiproxy was started again, and what was cut stays cut', async () => {
    // From everybody: who leads afterwards may be another.
    const { id } = await fault({ family: 'link', kind: 'cut', from: await follower(), plane: 'replication' })
    await Promise.all([inSync(2), send(2)])
    const began = Date.now()
    await cluster.compose('kill', 'toxiproxy')
    expect(await cluster.event('links.lost', began)).toMatchObject({ toxiproxy: 'http://toxiproxy:8474' })
    await expect(fault({ family: 'link', kind: 'cut' })).rejects.toThrow('is away, and with it every link')
    expect((await cluster.control.faults()).find((f) => f.id === id)!.state).toBe('armed')
    await cluster.compose('start', 'toxiproxy')
    expect(await cluster.event('links.restored', began)).toMatchObject({ proxies: cluster.linkCount, toxics: 8 })
    await cluster.ready()
    await send(10)
    await inSync(2)
    await mend()
  })

  it('has its faults still when the director was started again, and clients notice nothing', async () => {
    const once = kafkaFor(cluster.bootstrap, { retry: { retries: 0 } }).producer()
    await once.connect()
    const cut = await fault({ family: 'link', kind: 'cut', from: await follower(), to: await leader(), plane: 'replication' })
    const killed = await fault({ family: 'process', kind: 'kill', node: 'controller:101' })
    const late: FaultRequestInput = { family: 'protocol', kind: 'delay', where: { apis: ['Produce'] }, with: { ms: 1 } }
    const counted = await fault({ ...late, count: 1000 })
    await Promise.all([inSync(2), send(5, once)])
    const hits = await until('hits', async () => (await hitsOf(counted.id)) || undefined)
    const brief = await fault({ ...late, ttl: '2s' })
    const over = Date.now() + 2000
    await cluster.compose('kill', 'director')
    await send(5, once)
    await until('the end of its time to live', async () => Date.now() > over)
    await cluster.compose('start', 'director')
    await cluster.ready()
    const stateOf = async (id: string) => (await cluster.control.faults()).find((f) => f.id === id)?.state
    expect(await Promise.all([cut.id, killed.id, counted.id].map(stateOf))).toEqual(['armed', 'armed', 'armed'])
    await until('the end of the one that was over meanwhile', async () => (await stateOf(brief.id)) !== 'armed')
    await until('hits of before and of now', async () => (await hitsOf(counted.id)) >= hits + 5)
    await send(5, once)
    await inSync(2)
    expect(await cluster.stateOf('controller:101')).toBe('stopped (SIGKILL)')
    await mend()
    await until('the controller', async () => (await cluster.stateOf('controller:101')) === 'follower')
    await once.disconnect()
  })

  it('has no link that does not go through Toxiproxy: with all proxies off, nobody hears anybody', async () => {
    expect(await Promise.all(cluster.ports.map(reach))).toEqual(['open', 'open', 'open'])
    await fault({ family: 'link', kind: 'refuse' })
    await until('controllers that lead nobody', async () => (await cluster.control.nodes()).every((n) => n.state !== 'active'))
    expect(await Promise.all(cluster.ports.map(reach))).toEqual(['dead', 'dead', 'dead'])
    await expect(cluster.inside('topics')).rejects.toThrow('KAFKA_ERROR')
    await cluster.control.healAll()
    await cluster.ready()
    await mend()
  })

  it("is used and looked at from the director's container", async () => {
    expect(await cluster.inside('topics', 'create', 'inner', '--rf', '3')).toContain('created inner')
    expect(await cluster.inside('topics')).toMatch(/inner +1 +3/)
    const group = ['--group', 'g1', '--from-beginning', '--max', '1']
    expect(await cluster.inside('consume', 'orders', ...group)).toContain('0:0 v0')
    expect(await cluster.inside('groups')).toMatch(/g1 .*Empty/)
    expect(await cluster.inside('status')).toMatch(/orders-0/)
  })

  it('has processes that are broken from this machine where the director does not have the socket', async () => {
    await cluster.takeSocket()
    const victim = 'controller:102'
    const serves = async () => /active|follower/.test(await cluster.stateOf(victim).catch(() => ''))
    await until('a director', serves)
    const hasNoSocket = "does not have the Docker engine's socket"
    await expect(cluster.control.act('kill', victim)).rejects.toThrow(hasNoSocket)
    for (const more of [{}, { in: '1h' }, { when: 'isr(orders-0).size = 2' }])
      await expect(fault({ family: 'process', kind: 'kill', node: victim, ...more } as FaultRequestInput)).rejects.toThrow(
        hasNoSocket,
      )
    await expect(fault({ family: 'process', kind: 'roll' })).rejects.toThrow(hasNoSocket)
    expect(await cluster.outside('pause', victim)).toMatchObject({ code: 0, stdout: `${victim} paused\n` })
    await until('silence', async () => (await cluster.stateOf(victim)) === 'silent')
    expect((await cluster.outside('resume', victim)).stdout).toBe(`${victim} running\n`)
    await until('an answer', serves)
    expect((await cluster.outside('kill', victim)).stdout).toBe(`${victim} exited\n`)
    await until('its end', async () => (await cluster.stateOf(victim)) === 'stopped (not reached)')
    expect(await cluster.outside('kill', victim)).toMatchObject({ code: 2, stderr: expect.stringContaining('is not running') })
    expect((await cluster.outside('restart', victim)).code).toBe(0)
    await until('it is back', serves)
    expect((await cluster.outside('logs', victim, '-n', '5')).stdout).toContain('node.ready')
    await send(5)
  })

  it('says who is to be started where the director cannot, and heals all else', async () => {
    const victim = await leader()
    const crash = await fault({ family: 'process', kind: 'crash-at-point', where: { point: 'produce.appended' }, count: 1 })
    const late = await fault({ family: 'protocol', kind: 'delay', where: { apis: ['Produce'] }, with: { ms: 1 } })
    await send(5)
    await until('its end', async () => (await cluster.stateOf(victim)) === 'stopped (not reached)')
    await expect(cluster.control.healAll()).rejects.toMatchObject({
      advice: expect.stringContaining(`npx faultline restart ${victim} --at`),
    })
    const stateOf = async ({ id }: { id: string }) => (await cluster.control.faults()).find((f) => f.id === id)!.state
    expect(await Promise.all([crash, late].map(stateOf))).toEqual(['healed', 'healed'])
    expect((await cluster.outside('restart', victim)).code).toBe(0)
    await until('it is back', async () => (await cluster.stateOf(victim)) === 'running')
    const pause = await fault({ family: 'process', kind: 'pause-at-point', where: { point: 'produce.appended' }, count: 1 })
    const sending = send(1)
    const [stopped] = await until('silence', async () => {
      const silent = (await cluster.control.nodes()).filter((n) => n.state === 'silent')
      return silent.length > 0 && silent
    })
    await expect(cluster.control.heal(pause.id)).rejects.toMatchObject({
      advice: expect.stringContaining(`npx faultline resume ${stopped!.name} --at`),
    })
    expect((await cluster.outside('resume', stopped!.name)).stdout).toBe(`${stopped!.name} running\n`)
    await sending
    await mend()
    await cluster.giveSocket()
    await until('a director that has it', async () => (await cluster.control.info().catch(() => undefined))?.containers?.engine)
  })

  it('goes on when the disk of a broker is full', async () => {
    const topic = { topic: 'large', acks: -1, messages: [{ value: Buffer.alloc(500_000, 'x') }] }
    await createTopic(kafkaFor(cluster.bootstrap), 'large', 1)
    await until(
      'a broker that has no room',
      async () => {
        await producer.send(topic)
        return (await cluster.stateOf('broker:3')) === 'stopped (exit code 78)'
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
