// Finds brokers and leaders, and keeps a connection to each broker it talks to.
import type { Clock, ClientDialer } from '@faultline/base'
import {
  type Api,
  createTopics,
  Errors,
  errorName,
  findCoordinator,
  metadata,
  type RequestInput,
  type ResponseOf,
} from '@faultline/protocol'
import { Connection, Disconnected } from './connection.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface ClientOptions {
  readonly bootstrap: readonly Endpoint[]
  readonly clientId: string
  readonly dialer: ClientDialer
  readonly clock: Clock
  /** A broker that is silent for longer is taken for gone; without it an answer is waited for as long as the connection stands. */
  readonly requestTimeoutMs?: number
}

/** What a coordinator is asked for. */
export type CoordinatorKind = 'group' | 'transaction'
const KEY_TYPES: Record<CoordinatorKind, number> = { group: 0, transaction: 1 }

const METADATA_VERSION = 12
const FIND_COORDINATOR_VERSION = 4
const CREATE_TOPICS_VERSION = 7
const RETRY_MS = 100

export class ClusterClient {
  readonly clock: Clock
  readonly #o: ClientOptions
  readonly #connections = new Map<string, Connection>()
  readonly #brokers = new Map<number, Endpoint>()
  readonly #leaders = new Map<string, number>()
  readonly #coordinators = new Map<string, Endpoint>()
  #turn = 0

  constructor(options: ClientOptions) {
    this.#o = options
    this.clock = options.clock
  }

  /** Asks any broker, the next one each time. Rejects with Disconnected. */
  any<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
    const known = [...this.#brokers.values(), ...this.#o.bootstrap]
    return this.#connection(known[this.#turn++ % known.length]!).request(api, version, request)
  }

  /** The ids of the brokers that take part now. Rejects with Disconnected. */
  async brokers(): Promise<number[]> {
    const { brokers } = await this.#ask([])
    return brokers.map((b) => b.nodeId).sort((a, b) => a - b)
  }

  /** A connection to a broker; undefined when none of that id was ever seen. */
  broker(id: number): Connection | undefined {
    const endpoint = this.#brokers.get(id)
    return endpoint && this.#connection(endpoint)
  }

  /** Asks the leader of a partition; undefined when nobody is known to lead it now. */
  async leader(topic: string, partition: number): Promise<Connection | undefined> {
    const key = `${topic}:${partition}`
    if (!this.#leaders.has(key)) await this.#refresh(topic)
    const endpoint = this.#brokers.get(this.#leaders.get(key) ?? -1)
    return endpoint && this.#connection(endpoint)
  }

  /** What was known of this topic's leaders is wrong. */
  forget(topic: string): void {
    for (const key of this.#leaders.keys()) if (key.startsWith(`${topic}:`)) this.#leaders.delete(key)
  }

  /** Asks who coordinates a group or a transactional id; undefined when nobody does now. */
  async coordinator(kind: CoordinatorKind, key: string): Promise<Connection | undefined> {
    const cached = this.#coordinators.get(`${kind}:${key}`)
    if (cached) return this.#connection(cached)
    const keyType = KEY_TYPES[kind]
    try {
      const { coordinators } = await this.any(findCoordinator, FIND_COORDINATOR_VERSION, { keyType, coordinatorKeys: [key] })
      const { errorCode, host, port } = coordinators[0]!
      if (errorCode !== Errors.NONE) return undefined
      this.#coordinators.set(`${kind}:${key}`, { host, port })
      return this.#connection({ host, port })
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
      return undefined
    }
  }

  /** It is somebody else, or nobody. */
  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind}:${key}`)
  }

  async createTopic(
    name: string,
    numPartitions: number,
    replicationFactor: number,
    configs: Record<string, string>,
  ): Promise<void> {
    const topic = {
      name,
      numPartitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([k, value]) => ({ name: k, value })),
    }
    for (;;) {
      try {
        const { topics } = await this.any(createTopics, CREATE_TOPICS_VERSION, { topics: [topic], timeoutMs: 5000 })
        const code = topics[0]!.errorCode
        if (code === Errors.NONE || code === Errors.TOPIC_ALREADY_EXISTS) return
        if (code !== Errors.REQUEST_TIMED_OUT && code !== Errors.INVALID_REPLICATION_FACTOR)
          throw new Error(`CreateTopics: ${errorName(code)}`)
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error
      }
      await this.pause(RETRY_MS)
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve))
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }

  /** Of the next broker that answers. */
  async #refresh(topic: string): Promise<void> {
    for (let tries = this.#brokers.size + this.#o.bootstrap.length; tries > 0; tries--) {
      try {
        const [found] = (await this.#ask([topic])).topics
        for (const { partitionIndex, leaderId } of found!.partitions) {
          if (leaderId >= 0) this.#leaders.set(`${topic}:${partitionIndex}`, leaderId)
        }
        return
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error
      }
    }
  }

  async #ask(topics: readonly string[]): Promise<ResponseOf<typeof metadata>> {
    const names = topics.map((name) => ({ name }))
    const found = await this.any(metadata, METADATA_VERSION, { topics: names, allowAutoTopicCreation: false })
    for (const { nodeId, host, port } of found.brokers) this.#brokers.set(nodeId, { host, port })
    return found
  }

  #connection({ host, port }: Endpoint): Connection {
    const key = `${host}:${port}`
    let connection = this.#connections.get(key)
    if (!connection || connection.closed) {
      const { dialer, clientId, clock, requestTimeoutMs } = this.#o
      connection = new Connection(
        dialer,
        host,
        port,
        clientId,
        requestTimeoutMs === undefined ? undefined : { clock, requestTimeoutMs },
      )
      this.#connections.set(key, connection)
    }
    return connection
  }
}
