// The clients of the failover run: an idempotent acks=all producer and a consumer group, kafkajs as anybody would install it.
import { EventEmitter } from 'node:events'
import { CompressionTypes, type Consumer, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'
import type { History } from './history.ts'

export interface WorkloadOptions {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly partitions: number
  readonly history: History
}

/** Records per send, and the pause between two sends of one partition: some hundred records a second. */
const BATCH_RECORDS = 4
const PAUSE_MS = 40

/** A client whose cluster is gone may take its time to say goodbye. */
const DISCONNECT_MS = 2000

const RETRY = { retries: 1000, initialRetryTime: 50, maxRetryTime: 400 }

export class Workload {
  readonly #o: WorkloadOptions
  readonly #producer: Producer
  readonly #consumer: Consumer
  #loops: Promise<void>[] = []
  #producing = true

  constructor(options: WorkloadOptions) {
    this.#o = options
    // While a broker is away, the loop of each of its partitions waits for the same connection.
    EventEmitter.defaultMaxListeners = Math.max(EventEmitter.defaultMaxListeners, 4 * options.partitions)
    const kafka = new Kafka({
      clientId: 'failover',
      brokers: [...options.brokers],
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1000,
      requestTimeout: 10_000,
      retry: RETRY,
    })
    this.#producer = kafka.producer({
      idempotent: true,
      retry: RETRY,
      metadataMaxAge: 1000,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    this.#consumer = kafka.consumer({
      groupId: 'failover-reader',
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
      retry: RETRY,
    })
  }

  async start(): Promise<void> {
    await this.#producer.connect()
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: this.#o.topic, fromBeginning: true })
    await this.#consumer.run({
      eachBatchAutoResolve: true,
      eachBatch: async ({ batch }) => {
        for (const message of batch.messages) {
          const { sequence } = JSON.parse(message.value!.toString()) as { sequence: number }
          this.#o.history.read({ partition: batch.partition, offset: Number(message.offset), sequence, readMs: Date.now() })
        }
      },
    })
    this.#loops = Array.from({ length: this.#o.partitions }, (_, partition) => this.#produce(partition))
  }

  async stopProducing(): Promise<void> {
    this.#producing = false
    await Promise.all(this.#loops)
  }

  async stop(): Promise<void> {
    this.#producing = false
    const patience = new Promise((resolve) => setTimeout(resolve, DISCONNECT_MS))
    await Promise.race([Promise.allSettled([this.#producer.disconnect(), this.#consumer.disconnect()]), patience])
  }

  /** One batch at a time per partition: the order in which they were sent is the order that must be found. */
  async #produce(partition: number): Promise<void> {
    let sequence = 0
    while (this.#producing) {
      const now = Date.now()
      const sent = Array.from({ length: BATCH_RECORDS }, () => this.#o.history.begin(partition, sequence++, now))
      const messages = sent.map((s) => ({
        partition,
        key: `order-${partition}-${s.sequence}`,
        value: JSON.stringify({ sequence: s.sequence }),
      }))
      try {
        await this.#producer.send({ topic: this.#o.topic, acks: -1, compression: CompressionTypes.None, messages })
        for (const s of sent) s.ackedMs = Date.now()
      } catch (error) {
        // What became of these is open. kafkajs would send the next batch under the same sequence numbers: this partition ends here.
        for (const s of sent) s.error = (error as Error).message
        return
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}
