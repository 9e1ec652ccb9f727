// What the story of a kind is played on: a cluster, whatever its nodes are, an unmodified client that a fault can choose, and one beside it
// that produces through all of them.
import type { ClusterControl, ClusterEvent, FaultRequestInput, FaultView, NodeView } from '@faultline/director'
import type { Connection } from '@faultline/client'
import { buildBatch, metadata, produce } from '@faultline/protocol'
import type { Kafka, Producer } from 'kafkajs'
import { connectTo } from '../support/client.ts'
import { createTopic, kafkaFor, until } from '../support/cluster.ts'
import { type Traffic, trafficTo } from '../support/traffic.ts'

/** Three brokers whose links can be broken: processes of this machine, or containers. */
export interface World {
  readonly control: ClusterControl
  /** In the order of the brokers. */
  readonly bootstrap: string
  stop(): Promise<void>
}

const BROKERS = [1, 2, 3]
const PARTITIONS = ['orders-0', 'orders-1', 'orders-2', 'probed-0']
/** Of a producer: longer than an election takes. Then its next life begins. */
const PATIENCE = { retry: { retries: 20 } }
const LIVES = 4
const SERVES = /^(running|active|follower)$/

export class Stage {
  readonly control: ClusterControl
  /** It gives up when it is told to. */
  readonly probe: Kafka
  readonly traffic: Traffic
  /** All that the cluster has told. */
  readonly events: ClusterEvent[] = []
  readonly #world: World
  #producer: Producer
  readonly #listening = new AbortController()

  private constructor(world: World, probe: Kafka, producer: Producer, traffic: Traffic) {
    this.#world = world
    this.#producer = producer
    this.control = world.control
    this.probe = probe
    this.traffic = traffic
    void this.#listen().catch(() => {})
  }

  /** With the topics `orders`, for the traffic, and `probed`. */
  static async on(world: World): Promise<Stage> {
    const kafka = kafkaFor(world.bootstrap, { clientId: 'traffic' })
    await createTopic(kafka, 'orders', 3)
    await createTopic(kafka, 'probed', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const probe = kafkaFor(world.bootstrap, { clientId: 'probe' })
    const producer = probe.producer(PATIENCE)
    await producer.connect()
    return new Stage(world, probe, producer, await trafficTo(kafka, 'orders'))
  }

  async #listen(): Promise<void> {
    for await (const event of this.control.events(0, this.#listening.signal)) this.events.push(event)
  }

  async clear(): Promise<void> {
    this.#listening.abort()
    await Promise.all([this.traffic.stop(), this.#producer.disconnect()])
  }

  /** Everything is healed, all nodes serve, all replicas are in sync, and clients are answered. */
  async mend(): Promise<void> {
    await this.control.healAll()
    for (const { name, state } of await this.control.nodes())
      if (state.startsWith('stopped')) await this.control.act('restart', name)
    await until('all nodes', async () => (await this.control.nodes()).every((n) => SERVES.test(n.state)))
    for (const partition of PARTITIONS) await this.control.waitForIsr(partition, BROKERS.length)
    await this.traffic.more(5)
  }

  add(family: FaultRequestInput['family'], kind: string, more: Partial<FaultRequestInput> = {}): Promise<FaultView> {
    return this.control.addFault({ family, kind, ...more })
  }

  async viewOf({ id }: FaultView): Promise<FaultView> {
    return (await this.control.faults()).find((f) => f.id === id)!
  }

  async hit(fault: FaultView): Promise<void> {
    await until(`a hit of ${fault.kind}`, async () => (await this.viewOf(fault)).hits > 0)
  }

  async hitBy(fault: FaultView, work: () => Promise<unknown>): Promise<void> {
    await work()
    await this.hit(fault)
  }

  /** What the cluster has told since the fault began. */
  since({ id }: FaultView): ClusterEvent[] {
    return sinceBegun(this.events, id)
  }

  /** Sizes that the ISRs of `orders` have had since. */
  isrSizes(fault: FaultView): number[] {
    const changes = this.since(fault).filter((e) => e.event === 'partition.change' && e['topic'] === 'orders')
    return changes.map((e) => (e['isr'] as number[]).length)
  }

  async node(name: string): Promise<NodeView> {
    return this.control.find(name)
  }

  /** Until its state is like this. */
  async becomes(name: string, state: RegExp): Promise<void> {
    await until(`${name} that is ${state.source}`, async () => state.test((await this.node(name)).state))
  }

  async leaderAndFollower(partition = 'probed-0'): Promise<{ readonly leader: string; readonly follower: string }> {
    const leader = await this.control.waitForLeader(partition)
    return { leader: `broker:${leader}`, follower: `broker:${BROKERS.find((id) => id !== leader)}` }
  }

  /** Until somebody else leads. */
  async leaderAfter(leader: string, partition = 'probed-0'): Promise<void> {
    await this.control.waitForLeader(partition, idOf(leader))
  }

  /** Where clients find it. */
  addressOf(broker: string): string {
    return this.#world.bootstrap.split(',')[idOf(broker) - 1]!
  }

  async onConnection<T>(broker: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = connectTo(this.addressOf(broker))
    try {
      return await work(connection)
    } finally {
      connection.close()
    }
  }

  /**
   * Sends to `probed`, until it is acknowledged. A producer that gives up is replaced by its next life: kafkajs may hold on to a broker that
   * is gone, where a proxy still takes connections for it.
   */
  async sendOnce(): Promise<Sent> {
    for (let life = 1; ; life++) {
      try {
        return await sendBy(this.#producer)
      } catch (error) {
        if (life === LIVES) throw error
        await this.#producer.disconnect()
        this.#producer = this.probe.producer(PATIENCE)
      }
    }
  }

  /** The same by a client that comes now, and gives up at the first failure. */
  async tryOnce(): Promise<void> {
    const producer = this.probe.producer({ retry: { retries: 0 } })
    try {
      await sendBy(producer)
    } finally {
      await producer.disconnect()
    }
  }
}

interface Sent {
  readonly baseOffset: number
  readonly logAppendTime: number
}

/** Connects it, where it is not connected. */
async function sendBy(producer: Producer): Promise<Sent> {
  await producer.connect()
  const [sent] = await producer.send({ topic: 'probed', acks: -1, messages: [{ value: 'x' }] })
  return { baseOffset: Number(sent!.baseOffset), logAppendTime: Number(sent!.logAppendTime) }
}

/** None when it has not begun. */
export function sinceBegun(events: readonly ClusterEvent[], fault: string): ClusterEvent[] {
  const begun = events.findIndex((e) => e.event === 'fault.begin' && e['fault'] === fault)
  return begun < 0 ? [] : events.slice(begun)
}

export async function msOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

export function produceTo(connection: Connection, topic: string, value: Uint8Array, acks = -1) {
  const records = buildBatch([{ key: null, value, timestamp: Date.now() }])
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  return connection.request(produce, 12, { acks, timeoutMs: 10_000, topicData })
}

export function describeTopics(connection: Connection) {
  return connection.request(metadata, 12, { topics: [{ name: 'probed' }], allowAutoTopicCreation: false })
}

function idOf(broker: string): number {
  return Number(broker.split(':')[1])
}
