// A cluster in the simulator and clients that say what a test wants said: requests at chosen versions, bytes as they are.
import type { ByteStream } from '@faultline/base'
import { Connection } from '@faultline/client'
import {
  type Api,
  createTopics,
  Errors,
  fetch,
  FrameParser,
  produce,
  type RecordToWrite,
  type BatchOptions,
  buildBatch,
  type RequestInput,
  type ResponseOf,
} from '@faultline/protocol'
import { World } from '@faultline/sim'

const ANSWER_MS = 120_000
/** Kafka's time for requests that a test does not want to time out. */
const PATIENCE_MS = 30_000

export interface SceneOptions {
  readonly brokers?: number
  readonly settings?: Readonly<Record<string, string>>
  readonly seed?: number
}

export interface Produced {
  readonly errorCode: number
  readonly baseOffset: number
  readonly errorMessage: string | null
}

export class Scene {
  readonly world: World
  readonly #connections = new Map<number, Connection>()

  static async start({ brokers = 1, settings = {}, seed = 1 }: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene(new World({ seed, brokers, controllers: 1, settings }))
    const { world } = scene
    await world.start()
    return scene
  }

  private constructor(world: World) {
    this.world = world
  }

  dial(broker = 1): ByteStream {
    const [listener] = this.world.image!.brokers.get(broker)!.listeners
    return this.world.clients.dial(listener!.host, listener!.port)
  }

  connect(broker = 1, clientId = 'test'): Connection {
    return new Connection({ dial: () => this.dial(broker) }, '', 0, clientId)
  }

  /** On a connection that is kept for each broker. */
  ask<A extends Api>(api: A, version: number, request: RequestInput<A>, broker = 1): Promise<ResponseOf<A>> {
    let connection = this.#connections.get(broker)
    if (!connection || connection.closed) this.#connections.set(broker, (connection = this.connect(broker)))
    return this.settle(connection.request(api, version, request))
  }

  /** Runs the cluster until the promise is settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const done = () => (settled = true)
    promise.then(done, done)
    await this.world.runUntil('an answer', () => settled, ANSWER_MS)
    return promise
  }

  /** Lets this much virtual time pass. */
  async pass(ms: number): Promise<void> {
    const due = this.world.scheduler.now + ms
    await this.world.runUntil('time to pass', () => this.world.scheduler.now >= due, ms + 10_000)
  }

  async createTopic(name: string, partitions = 1, replicas = 1, configs: Record<string, string> = {}): Promise<string> {
    const topic = { name, numPartitions: partitions, replicationFactor: replicas, assignments: [], configs: pairs(configs) }
    const { topics } = await this.ask(createTopics, 7, { topics: [topic], timeoutMs: PATIENCE_MS })
    if (topics[0]!.errorCode !== Errors.NONE) throw new Error(`CreateTopics: ${topics[0]!.errorMessage}`)
    const applied = () => {
      const led = Array.from({ length: partitions }, (_, index) => {
        const leader = this.world.image!.topicsByName.get(name)!.partitions[index]!.leader
        return this.world.broker(leader)?.replicas.byName(name, index)?.leads === true
      })
      return led.every(Boolean) && this.world.brokerIds.every((id) => this.world.broker(id)!.image.topicsByName.has(name))
    }
    await this.world.runUntil('leaders', applied, ANSWER_MS)
    return topics[0]!.topicId
  }

  leaderOf(topic: string, partition = 0): number {
    return this.world.image!.topicsByName.get(topic)!.partitions[partition]!.leader
  }

  /** One batch of values to a partition, as it is asked for. */
  async produce(topic: string, values: readonly string[], options: BatchOptions = {}, partition = 0): Promise<Produced> {
    const timestamp = options.baseTimestamp ?? 1_700_000_000_000
    const records: RecordToWrite[] = values.map((value, i) => ({
      key: null,
      value: Buffer.from(value),
      timestamp: timestamp + i,
    }))
    return this.produceBytes(topic, buildBatch(records, options), partition)
  }

  async produceBytes(topic: string, records: Uint8Array | null, partition = 0, version = 12): Promise<Produced> {
    const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
    const request = { transactionalId: null, acks: -1, timeoutMs: PATIENCE_MS, topicData }
    const { responses } = await this.ask(produce, version, request, this.leaderOf(topic, partition))
    return responses[0]!.partitionResponses[0]!
  }

  /** Fetches from one partition, without a session, at once. */
  async fetch(topic: string, fetchOffset: number, more: Partial<RequestInput<typeof fetch>> = {}, partition = 0) {
    const topics = [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }] }]
    const reply = await this.ask(fetch, 12, { maxWaitMs: 0, minBytes: 0, topics, ...more }, this.leaderOf(topic, partition))
    return reply.responses[0]!.partitions[0]!
  }
}

export function pairs(configs: Readonly<Record<string, string | null>>): { name: string; value: string | null }[] {
  return Object.entries(configs).map(([name, value]) => ({ name, value }))
}

/** A client without manners: sees frames and the end of the connection, sends what it likes. */
export class RawClient {
  readonly frames: Uint8Array[] = []
  closed = false
  readonly #stream: ByteStream
  readonly #parser = new FrameParser(1 << 30)

  constructor(stream: ByteStream) {
    this.#stream = stream
    stream.onData = (chunk) => this.#parser.push(chunk, (frame) => this.frames.push(frame))
    stream.onClose = () => (this.closed = true)
  }

  send(...chunks: readonly Uint8Array[]): void {
    this.#stream.write(chunks)
  }

  /** Stops reading: the server's answers pile up somewhere. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  close(): void {
    this.#stream.destroy()
  }
}
