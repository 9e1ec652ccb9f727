// Consume, transform, produce: each batch is copied in a transaction that carries the positions (KIP-447).
import { type Consumer, type EachBatchPayload, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'
import type { Workload } from '../experiment/schema.ts'
import { RETRY, type RunningWorkload, within, type WorkloadContext } from './workload.ts'

type Options = Extract<Workload, { kind: 'transform' }>

interface Member {
  readonly producer: Producer
  readonly consumer: Consumer
}

export async function startTransform(options: Options, name: string, context: WorkloadContext): Promise<RunningWorkload> {
  const transform = new RunningTransform(options, name, context)
  await Promise.all(Array.from({ length: options.members }, (_, member) => transform.join(member)))
  return transform
}

class RunningTransform implements RunningWorkload {
  readonly name: string
  readonly #o: Options
  readonly #kafka: Kafka
  readonly #members = new Map<number, Member>()
  #copied = 0
  #stopped = false

  constructor(options: Options, name: string, context: WorkloadContext) {
    this.name = name
    this.#o = options
    this.#kafka = new Kafka({
      clientId: name,
      brokers: context.bootstrap.split(','),
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1000,
      requestTimeout: 10_000,
      retry: { initialRetryTime: 50, maxRetryTime: 400, retries: 20 },
    })
  }

  /** A member that cannot go on is replaced by its next life, as whoever runs a service does. */
  async join(member: number): Promise<void> {
    const { from, group, transactionalId } = this.#o
    const producer = this.#kafka.producer({
      transactionalId: `${transactionalId}-${member}`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 10_000,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    const again = () => void this.#again(member)
    const consumer = this.#kafka.consumer({
      groupId: group,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
      readUncommitted: false,
      retry: { ...RETRY, restartOnFailure: async () => false },
    })
    this.#members.set(member, { producer, consumer })
    consumer.on(consumer.events.CRASH, again)
    try {
      await producer.connect()
      await consumer.connect()
      await consumer.subscribe({ topic: from, fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#copy(producer, payload),
      })
    } catch {
      again()
    }
  }

  async #again(member: number): Promise<void> {
    const old = this.#members.get(member)
    if (!old || this.#stopped) return
    this.#members.delete(member)
    await within(Promise.all([old.consumer.disconnect(), old.producer.disconnect()]))
    if (!this.#stopped) await this.join(member)
  }

  async #copy(producer: Producer, { batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    const { to, group, from } = this.#o
    const messages = batch.messages.map(({ key, value }) => ({ partition: batch.partition, key, value }))
    const transaction = await producer.transaction()
    try {
      await transaction.send({ topic: to, acks: -1, messages })
      const offset = String(Number(batch.lastOffset()) + 1)
      const topics = [{ topic: from, partitions: [{ partition: batch.partition, offset }] }]
      await transaction.sendOffsets({ consumerGroupId: group, topics })
      await transaction.commit()
    } catch (error) {
      await transaction.abort().catch(() => {})
      throw error
    }
    this.#copied += messages.length
    resolveOffset(batch.lastOffset())
    await heartbeat()
  }

  get flows(): boolean {
    return this.#copied >= 50
  }

  stopProducing(): Promise<void> {
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const members = [...this.#members.values()]
    await Promise.all(members.flatMap(({ consumer, producer }) => [within(consumer.disconnect()), within(producer.disconnect())]))
  }
}
