// Which occasions of many are hit, in several brokers under load: counts that are exact over all of them, and conditions on all that a
// cluster knows of itself, each seen in the step in which it comes true.
import type { Connection } from '@faultline/client'
import { type FaultRequestInput, startCluster, type StartedCluster } from '@faultline/director'
import { buildBatch, Errors, metadata, produce } from '@faultline/protocol'
import type { Kafka } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectTo } from '../support/client.ts'
import { createTopic, DIST, kafkaFor, until } from '../support/cluster.ts'

/** Requests that are on their way at the same time, to each broker. */
const AT_ONCE = 4
const ROUNDS = 50

/** Clients of every broker that ask without a pause, and count what they are answered. */
class Load {
  readonly #connections: Connection[]
  readonly #rounds: number[] = []
  readonly #running: Promise<unknown>
  #over = false
  errors = 0

  constructor(bootstrap: string) {
    this.#connections = bootstrap.split(',').flatMap((address) => Array.from({ length: AT_ONCE }, () => connectTo(address)))
    this.#running = Promise.all(this.#connections.map((connection, i) => this.#ask(connection, i)))
  }

  async #ask(connection: Connection, index: number): Promise<void> {
    while (!this.#over) {
      const asked = { topics: [{ name: 'orders' }], allowAutoTopicCreation: false }
      const answer = await connection.request(metadata, 12, asked).catch(() => undefined)
      // Its broker is gone, and with it whatever it might still have been answered.
      if (!answer) break
      if (answer.topics[0]!.errorCode === Errors.INVALID_TOPIC_EXCEPTION) this.errors++
      this.#rounds[index] = (this.#rounds[index] ?? 0) + 1
    }
    this.#rounds[index] = Number.POSITIVE_INFINITY
  }

  /** Everybody has asked at least twice more: whatever was on its way has been answered. */
  async goOn(): Promise<void> {
    const before = this.#connections.map((_, i) => this.#rounds[i] ?? 0)
    await until('more answers', async () => before.every((rounds, i) => (this.#rounds[i] ?? 0) >= rounds + 3))
  }

  async stop(): Promise<void> {
    this.#over = true
    await this.#running
    for (const connection of this.#connections) connection.close()
  }
}

const TOPIC_ERROR: FaultRequestInput = {
  family: 'protocol',
  kind: 'error',
  where: { apis: ['Metadata'], topic: 'orders' },
  with: { error: 'INVALID_TOPIC_EXCEPTION' },
}

let cluster: StartedCluster
let kafka: Kafka
beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, controllers: 3 }, DIST)
  kafka = kafkaFor(cluster.bootstrap)
  await createTopic(kafka, 'orders', 3)
})
afterAll(() => cluster[Symbol.asyncDispose]())

async function spent(id: string): Promise<void> {
  await until(`the end of ${id}`, async () => (await cluster.cluster.faults()).find((f) => f.id === id)!.state === 'spent')
}

describe('a count that brokers share', () => {
  let load: Load
  beforeAll(() => {
    load = new Load(cluster.bootstrap)
  })
  afterAll(() => load.stop())

  /** What clients were answered is what counts. */
  async function hitsOf(request: FaultRequestInput): Promise<number> {
    const before = load.errors
    const { id } = await cluster.fault(request)
    await spent(id)
    await load.goOn()
    return load.errors - before
  }

  it(`of 5 is 5 hits, ${ROUNDS} times`, async () => {
    for (let i = 0; i < ROUNDS; i++) expect(await hitsOf({ ...TOPIC_ERROR, count: 5 })).toBe(5)
  }, 120_000)

  it('of the 7th of all is one hit, of every 10th of all three times as many as is said', async () => {
    expect(await hitsOf({ ...TOPIC_ERROR, nth: 7 })).toBe(1)
    expect(await hitsOf({ ...TOPIC_ERROR, every: 10, count: 3 })).toBe(3)
  })
})

describe('a crash that brokers share', () => {
  it('is one, though all of them come to that point at the same time', async () => {
    const addresses = cluster.bootstrap.split(',')
    const { id } = await cluster.fault({
      family: 'process',
      kind: 'crash-at-point',
      where: { point: 'produce.appended' },
      count: 1,
    })
    const records = () => buildBatch([{ key: null, value: Buffer.from('v'), timestamp: Date.now() }])
    const connections = addresses.map(connectTo)
    const leads = await Promise.all([0, 1, 2].map((partition) => cluster.waitForLeader(`orders-${partition}`)))
    const topicData = (index: number) => [{ name: 'orders', partitionData: [{ index, records: records() }] }]
    await Promise.all(
      leads.map((leader, index) =>
        connections[leader - 1]!.request(produce, 12, { acks: 1, timeoutMs: 5000, topicData: topicData(index) }).catch(() => {}),
      ),
    )
    for (const connection of connections) connection.close()
    await spent(id)
    const stopped = async () => (await cluster.cluster.nodes()).map((n) => n.state).filter((s) => s.startsWith('stopped'))
    // A process that kills itself has told of it before it is gone.
    await until('its end', async () => (await stopped()).length > 0)
    expect(await stopped()).toEqual(['stopped (SIGKILL)'])
    await cluster.healAll()
    const running = async () => (await cluster.cluster.nodes()).every((n) => /running|active|follower/.test(n.state))
    await until('all nodes', running)
    for (const partition of [0, 1, 2]) await cluster.waitForIsr(`orders-${partition}`, 3)
  })
})

/** Conditions that have come true, as they are written. */
async function cameTrue(stop: AbortSignal, into: Map<string, string>): Promise<void> {
  for await (const event of cluster.events(0, stop))
    if (event.event === 'fault.condition') into.set(String(event['when']), event.node)
}

describe('a condition', () => {
  it('is seen by who owns what it speaks of, when it comes true and not before', async () => {
    await createTopic(kafka, 'seen', 1)
    const leader = await cluster.waitForLeader('seen-0')
    const follower = [1, 2, 3].find((id) => id !== leader)!
    const conditions = {
      before: ['client(watched).connections >= 1', 'member(g:watched).count = 1', 'group(g).state = Stable'],
      records: ['partition(seen-0).logEnd >= 10', 'partition(seen-0).highWatermark = 10', 'offset(g:seen-0).committed >= 10'],
      stopped: [`follower(seen-0:${follower}).lag >= 5`, 'isr(seen-0).size = 2', `broker(${follower}).state = FENCED`],
      after: [`follower(seen-0:${follower}).lag = 0`, 'isr(seen-0).size = 3', 'controller(active).epoch > 1'],
    }
    const seen = new Map<string, string>()
    const stop = new AbortController()
    const following = cameTrue(stop.signal, seen).catch(() => {})
    const arm = async (all: readonly string[]) => {
      for (const when of all) await cluster.fault({ family: 'protocol', kind: 'delay', observe: true, when })
    }
    const expectAll = async (all: readonly string[]) => {
      await until(all.filter((when) => !seen.has(when)).join(' and '), async () => all.every((when) => seen.has(when)))
    }
    const watched = kafkaFor(cluster.bootstrap, { clientId: 'watched' })
    const producer = kafka.producer()
    await producer.connect()
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) await producer.send({ topic: 'seen', acks: 1, messages: [{ value: 'x' }] })
    }

    await arm([...conditions.before, ...conditions.records])
    expect([...seen.keys()]).toEqual([])
    const consumer = watched.consumer({ groupId: 'g' })
    await consumer.connect()
    await consumer.subscribe({ topic: 'seen', fromBeginning: true })
    await consumer.run({ autoCommitThreshold: 1, eachMessage: async () => {} })
    await expectAll(conditions.before)
    await send(9)
    expect(conditions.records.filter((when) => seen.has(when))).toEqual([])
    await send(1)
    await expectAll(conditions.records)
    expect(seen.get('partition(seen-0).logEnd >= 10')).toBe(`broker:${leader}`)
    await consumer.disconnect()

    await arm(conditions.stopped)
    expect(conditions.stopped.filter((when) => seen.has(when))).toEqual([])
    await cluster.pause(`broker:${follower}`)
    await send(6)
    await expectAll(conditions.stopped)
    expect(seen.get('isr(seen-0).size = 2')).toMatch(/^controller:/)

    await arm(conditions.after.slice(0, 2))
    await cluster.resume(`broker:${follower}`)
    await cluster.waitForIsr('seen-0', 3)
    await expectAll(conditions.after.slice(0, 2))
    const old = await cluster.cluster.find('controller:active')
    await cluster.healAll()
    await arm(conditions.after.slice(2))
    seen.delete('controller(active).epoch > 1')
    await cluster.kill('controller:active')
    await expectAll(conditions.after.slice(2))
    expect(seen.get('controller(active).epoch > 1')).not.toBe(old.name)
    await cluster.restart(old.name)
    stop.abort()
    await following
    await cluster.healAll()
    await producer.disconnect()
  })

  it('on an offset strikes at that record: what came before is acknowledged, nothing after', async () => {
    await createTopic(kafka, 'exact', 1)
    const leader = await cluster.waitForLeader('exact-0')
    const { id } = await cluster.fault({
      family: 'process',
      kind: 'kill',
      node: 'leader:exact-0',
      when: 'partition(exact-0).highWatermark >= 30',
      count: 1,
    })
    const connection = connectTo(cluster.bootstrap.split(',')[leader - 1]!)
    const records = () => buildBatch([{ key: null, value: Buffer.from('v'), timestamp: Date.now() }])
    const send = () =>
      connection.request(produce, 12, {
        acks: -1,
        timeoutMs: 5000,
        topicData: [{ name: 'exact', partitionData: [{ index: 0, records: records() }] }],
      })
    let acknowledged = 0
    await (async () => {
      for (;;) {
        const { responses } = await send()
        if (responses[0]!.partitionResponses[0]!.errorCode === Errors.NONE) acknowledged++
      }
    })().catch(() => {})
    expect(acknowledged).toBe(29)
    await spent(id)
    expect(await cluster.waitForLeader('exact-0', leader)).not.toBe(leader)
    await cluster.healAll()
    await cluster.waitForIsr('exact-0', 3)
    connection.close()
  })

  it('that others own is passed on to who acts: once in all of them for each time that it comes true', async () => {
    await createTopic(kafka, 'told', 1)
    const leader = await cluster.waitForLeader('told-0')
    const follower = `broker:${[1, 2, 3].find((id) => id !== leader)}`
    const request = { ...TOPIC_ERROR, where: { apis: ['Metadata'] }, when: 'isr(told-0).size = 2' }
    const { id } = await cluster.fault(request)
    const load = new Load(cluster.bootstrap)
    await load.goOn()
    expect(load.errors).toBe(0)
    await cluster.kill(follower)
    await cluster.waitForIsr('told-0', 2)
    await until('the hit', async () => (await cluster.faults()).find((f) => f.id === id)!.hits === 1)
    await load.goOn()
    expect(load.errors).toBe(1)
    await load.stop()
    await cluster.restart(follower)
    await cluster.waitForIsr('told-0', 3)
    await cluster.healAll()
  })
})
