// Asks every broker, while a run goes on, what it knows of the experiment's partitions: who leads, in which epoch, who is in sync; and whoever says
// that it leads, where the partition ends. Through Kafka's own API, so that any cluster can be asked.
import { ask, type ClusterClient, Disconnected, KafkaError } from '@faultline/client'
import { Errors, listOffsets, metadata } from '@faultline/protocol'
import { pause } from './until.ts'

export interface BrokerView {
  readonly at: number
  /** Who says so: broker:2. */
  readonly broker: string
  readonly topic: string
  readonly partition: number
  readonly leader: string | null
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  /** Null from who does not lead, and from a new leader that does not know yet. */
  readonly highWatermark: number | null
}

const EVERY_MS = 500
const LATEST = -1
const CONSUMER = -1

export class ClusterWatch {
  readonly views: BrokerView[] = []
  readonly #client: ClusterClient
  readonly #topics: readonly string[]
  readonly #ends = new Map<string, number>()
  #stopped = false
  #watching: Promise<unknown> | undefined

  constructor(client: ClusterClient, topics: readonly string[]) {
    this.#client = client
    this.#topics = topics
  }

  /** Each broker at its own pace: one that does not answer holds up nobody else. */
  start(brokers: readonly number[]): void {
    this.#watching = Promise.all(brokers.map((id) => this.#watch(id)))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#watching
  }

  /** As many as there are now, as far as leaders have said: the largest end of each partition. */
  get records(): number {
    let records = 0
    for (const end of this.#ends.values()) records += end
    return records
  }

  async #watch(id: number): Promise<void> {
    while (!this.#stopped) {
      await this.look(id)
      await pause(EVERY_MS)
    }
  }

  /** What this broker says now: nothing when it does not answer. */
  async look(id: number): Promise<BrokerView[]> {
    try {
      const seen = await this.#withEnds(id, await this.#metadataOf(id))
      this.views.push(...seen)
      for (const { topic, partition, highWatermark } of seen)
        if (highWatermark !== null) this.#ends.set(`${topic}-${partition}`, highWatermark)
      return seen
    } catch (error) {
      if (error instanceof Disconnected || error instanceof KafkaError) return []
      throw error
    }
  }

  async #metadataOf(id: number): Promise<BrokerView[]> {
    const topics = this.#topics.map((name) => ({ name }))
    const reply = await ask(this.#client.broker(id), metadata, { topics, allowAutoTopicCreation: false })
    const at = Date.now()
    return reply.topics.flatMap(({ name, partitions }) =>
      partitions.map((p) => ({
        at,
        broker: `broker:${id}`,
        topic: name!,
        partition: p.partitionIndex,
        leader: p.leaderId < 0 ? null : `broker:${p.leaderId}`,
        leaderEpoch: p.leaderEpoch,
        isr: p.isrNodes,
        highWatermark: null,
      })),
    )
  }

  /** In the epoch that it said: an answer belongs to that. */
  async #withEnds(id: number, views: readonly BrokerView[]): Promise<BrokerView[]> {
    const led = views.filter((v) => v.leader === v.broker)
    const topics = [...new Set(led.map((v) => v.topic))].map((name) => ({
      name,
      partitions: led
        .filter((v) => v.topic === name)
        .map((v) => ({ partitionIndex: v.partition, currentLeaderEpoch: v.leaderEpoch, timestamp: LATEST })),
    }))
    if (topics.length === 0) return [...views]
    const reply = await ask(this.#client.broker(id), listOffsets, { replicaId: CONSUMER, topics })
    const at = Date.now()
    const ends = new Map(
      reply.topics.flatMap(({ name, partitions }) =>
        partitions
          .filter((p) => p.errorCode === Errors.NONE && p.offset >= 0)
          .map((p) => [`${name}-${p.partitionIndex}`, p.offset] as const),
      ),
    )
    return views.map((v) => {
      const highWatermark = v.leader === v.broker ? (ends.get(`${v.topic}-${v.partition}`) ?? null) : null
      return { ...v, at, highWatermark }
    })
  }
}
