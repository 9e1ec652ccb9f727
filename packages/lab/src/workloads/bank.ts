// A bank over a topic: each transfer takes money from one account and gives it to another, in one transaction. What its accounts hold together, as
// readers with isolation.level=read_committed add it up, never changes.
import type { Random } from '@faultline/base'
import type { Kafka, Producer, Transaction as KafkaTransaction } from 'kafkajs'
import type { Workload } from '../experiment/schema.ts'
import { identityOf, type Transaction } from '../history/history.ts'
import { kafkaOf, RETRY_SHORTLY, transactionalProducer } from './kafkajs.ts'
import { placed, type RunningWorkload, within, type WorkloadContext } from './workload.ts'

type Options = Extract<Workload, { kind: 'bank' }>

const ABORTED = 0.1
const LARGEST = 100
const AGAIN_MS = 200

export async function startBank(options: Options, name: string, context: WorkloadContext): Promise<RunningWorkload> {
  const bank = new RunningBank(options, name, context, kafkaOf(name, context, RETRY_SHORTLY))
  bank.open()
  return bank
}

class RunningBank implements RunningWorkload {
  readonly name: string
  readonly #o: Options
  readonly #context: WorkloadContext
  readonly #kafka: Kafka
  readonly #sequences = new Map<string, number>()
  #tellers: Promise<void>[] = []
  #committed = 0
  #closed = false

  constructor(options: Options, name: string, context: WorkloadContext, kafka: Kafka) {
    this.name = name
    this.#o = options
    this.#context = context
    this.#kafka = kafka
  }

  open(): void {
    this.#tellers = Array.from({ length: this.#o.tellers }, (_, i) => this.#work(`${this.name}.${i}`))
  }

  get flows(): boolean {
    return this.#committed >= 20
  }

  async stopProducing(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#tellers)
  }

  stop(): Promise<void> {
    this.#closed = true
    return within(Promise.all(this.#tellers))
  }

  /** A teller whose producer cannot go on gets another one with its transactional id, which settles what the last one had open. */
  async #work(teller: string): Promise<void> {
    const random = this.#context.random(teller)
    const pauseMs = (1000 * this.#o.tellers) / this.#o.rate
    while (!this.#closed) {
      const producer = transactionalProducer(this.#kafka, teller)
      try {
        await producer.connect()
        while (!this.#closed) {
          await this.#transfer(teller, producer, random)
          await new Promise((resolve) => setTimeout(resolve, pauseMs))
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
      await within(producer.disconnect())
    }
  }

  async #transfer(teller: string, producer: Producer, random: Random): Promise<void> {
    const { accounts } = this.#o
    const from = random.below(accounts)
    const to = (from + 1 + random.below(accounts - 1)) % accounts
    const amount = 1 + random.below(LARGEST)
    const isAborted = random.next() < ABORTED
    const kafka = await producer.transaction()
    const transaction = this.#context.history.beginTransaction(teller, Date.now())
    try {
      await this.#book(kafka, transaction, from, -amount)
      await this.#book(kafka, transaction, to, amount)
      if (!isAborted) transaction.committing = Date.now()
      await (isAborted ? kafka.abort() : kafka.commit())
      Object.assign(transaction, { outcome: isAborted ? 'fail' : 'ok', ended: Date.now() })
      if (!isAborted) this.#committed++
    } catch (error) {
      Object.assign(transaction, { outcome: transaction.committing === null ? 'fail' : 'info', ended: Date.now() })
      if (transaction.committing === null) await kafka.abort().catch(() => {})
      throw error
    }
  }

  /** Each account has its partition. */
  async #book(kafka: KafkaTransaction, transaction: Transaction, account: number, amount: number): Promise<void> {
    const { topic } = this.#o
    const { history, partitions } = this.#context
    const partition = account % partitions.get(topic)!
    const counter = `${transaction.process} ${partition}`
    const sequence = this.#sequences.get(counter) ?? 0
    this.#sequences.set(counter, sequence + 1)
    const send = history.begin(transaction.process, topic, partition, sequence, Date.now(), transaction)
    const message = { partition, key: `account-${account}:${amount}`, value: identityOf(send) }
    const [answer] = await kafka.send({ topic, acks: -1, messages: [message] })
    Object.assign(send, { outcome: 'ok', ended: Date.now() })
    placed([send], Number(answer?.baseOffset ?? -1))
  }
}
