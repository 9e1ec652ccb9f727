// Consume, transform, produce: each batch is copied in a transaction that carries the positions. kafkajs sends these without the member's generation
// (it has no KIP-447): with several members, one that its group has removed may still commit what another copies again.
import type { Consumer, EachBatchPayload, Kafka, Producer } from 'kafkajs'
import type { Workload } from '../experiment/schema.ts'
import { identityOf, type Send, type Transaction } from '../history/history.ts'
import { GroupHolds } from './group-holds.ts'
import { initTransactions, kafkaOf, RETRY, RETRY_SHORTLY, transactionalProducer } from './kafkajs.ts'
import { placed, type RunningWorkload, within, type WorkloadContext } from './workload.ts'

type Options = Extract<Workload, { kind: 'transform' }>

interface Member {
  readonly process: string
  readonly producer: Producer
  readonly consumer: Consumer
  readonly holds: GroupHolds
}

export async function startTransform(options: Options, name: string, context: WorkloadContext): Promise<RunningWorkload> {
  const transform = new RunningTransform(options, name, context)
  await Promise.all(Array.from({ length: options.members }, (_, member) => transform.join(member)))
  return transform
}

class RunningTransform implements RunningWorkload {
  readonly name: string
  readonly #o: Options
  readonly #context: WorkloadContext
  readonly #kafka: Kafka
  readonly #members = new Map<number, Member>()
  /** By process and partition of `to`. */
  readonly #sequences = new Map<string, number>()
  #copied = 0
  #stopped = false

  constructor(options: Options, name: string, context: WorkloadContext) {
    this.name = name
    this.#o = options
    this.#context = context
    this.#kafka = kafkaOf(name, context, RETRY_SHORTLY)
  }

  /** A member that cannot go on is replaced by its next life, as whoever runs a service does. */
  async join(number: number): Promise<void> {
    const { from, group, transactionalId } = this.#o
    const process = `${this.name}.${number}`
    const producer = transactionalProducer(this.#kafka, `${transactionalId}-${number}`)
    const again = () => void this.#again(number)
    const consumer = this.#kafka.consumer({
      groupId: group,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
      readUncommitted: false,
      retry: { ...RETRY, restartOnFailure: async () => false },
    })
    const holds = new GroupHolds(consumer, process, this.#context.history)
    const member = { process, producer, consumer, holds }
    this.#members.set(number, member)
    consumer.on(consumer.events.CRASH, again)
    try {
      await producer.connect()
      await initTransactions(producer)
      await consumer.connect()
      await consumer.subscribe({ topic: from, fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#copy(member, payload),
      })
    } catch {
      again()
    }
  }

  async #again(number: number): Promise<void> {
    const old = this.#members.get(number)
    if (!old || this.#stopped) return
    this.#members.delete(number)
    old.holds.end()
    await within(Promise.all([old.consumer.disconnect(), old.producer.disconnect()]))
    if (!this.#stopped) await this.join(number)
  }

  async #copy(member: Member, { batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    const { group, from } = this.#o
    const offset = Number(batch.lastOffset()) + 1
    const kafka = await member.producer.transaction()
    const transaction = this.#context.history.beginTransaction(member.process, Date.now())
    Object.assign(transaction, { group, positions: [{ topic: from, partition: batch.partition, offset }] })
    const sends = this.#note(member, batch, transaction)
    try {
      const messages = sends.map((send, i) => ({
        partition: batch.partition,
        key: batch.messages[i]!.key,
        value: identityOf(send),
      }))
      const [answer] = await kafka.send({ topic: this.#o.to, acks: -1, messages })
      for (const send of sends) Object.assign(send, { outcome: 'ok', ended: Date.now() })
      placed(sends, Number(answer?.baseOffset ?? -1))
      const topics = [{ topic: from, partitions: [{ partition: batch.partition, offset: String(offset) }] }]
      await kafka.sendOffsets({ consumerGroupId: group, topics })
      transaction.committing = Date.now()
      await kafka.commit()
      Object.assign(transaction, { outcome: 'ok', ended: Date.now() })
    } catch (error) {
      // Without a request to commit it, there is nothing that it can become but aborted.
      Object.assign(transaction, { outcome: transaction.committing === null ? 'fail' : 'info', ended: Date.now() })
      member.holds.again(from, batch.partition)
      await kafka.abort().catch(() => {})
      throw error
    }
    this.#copied += sends.length
    resolveOffset(batch.lastOffset())
    await heartbeat()
  }

  /** What is read in the transaction, and what is to be sent. */
  #note({ process, holds }: Member, { messages, partition }: EachBatchPayload['batch'], transaction: Transaction): Send[] {
    const { history } = this.#context
    const { from: topic, to } = this.#o
    const hold = holds.of(topic, partition)?.number
    return messages.map(({ offset, key, value }) => {
      const text = { key: key?.toString() ?? '', value: value?.toString() ?? '' }
      const about = { process, topic, partition, offset: Number(offset), at: Date.now(), transaction: transaction.id }
      history.reads.push({ op: 'read', ...about, ...text, ...(hold === undefined ? {} : { hold }) })
      const counter = `${process} ${partition}`
      const sequence = this.#sequences.get(counter) ?? 0
      this.#sequences.set(counter, sequence + 1)
      return history.begin(process, to, partition, sequence, Date.now(), transaction)
    })
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
