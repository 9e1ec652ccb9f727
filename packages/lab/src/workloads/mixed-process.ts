// One process of the mixed workload: what it does next is drawn, one operation at a time.
import type { Random } from '@faultline/base'
import { type ClusterClient, Producer, TransactionalProducer } from '@faultline/client'
import type { Kafka } from 'kafkajs'
import type { Workload } from '../experiment/schema.ts'
import { identityOf, type Position, type Transaction } from '../history/history.ts'
import { pause } from '../run/until.ts'
import { Assignment } from './assignment.ts'
import { Subscription } from './subscription.ts'
import { placed, type WorkloadContext } from './workload.ts'

type Options = Extract<Workload, { kind: 'mixed' }>

/** As Jepsen draws them; but for subscriptions, whose rebalances take seconds. */
const REASSIGNED = 1 / 32
const SUBSCRIBED = 1 / 4
const FROM_THE_BEGINNING = 1 / 4
const IN_TRANSACTION = 1 / 2
const ABORTED = 1 / 10
const MOST_OPERATIONS = 4
const MOST_RECORDS = 3
const AGAIN_MS = 100
const TRANSACTION_TIMEOUT_MS = 10_000

export class MixedProcess {
  /** Operations that are over. */
  done = 0
  readonly #id: string
  readonly #o: Options
  /** Of those that subscribe. */
  readonly #group: string
  readonly #context: WorkloadContext
  readonly #random: Random
  readonly #client: ClusterClient
  readonly #kafka: Kafka
  readonly #assignment: Assignment
  readonly #sequences = new Map<number, number>()
  /** How far it has read, and how far its group may be. */
  readonly #reached = new Map<number, number>()
  readonly #committed = new Map<number, number>()
  #producer: Producer | undefined
  #transactional: TransactionalProducer | undefined
  #subscription: Subscription | undefined
  #finishing = false
  #abandoned = false

  constructor(id: string, options: Options, group: string, context: WorkloadContext, client: ClusterClient, kafka: Kafka) {
    this.#id = id
    this.#o = options
    this.#group = group
    this.#context = context
    this.#random = context.random(id)
    this.#client = client
    this.#kafka = kafka
    this.#assignment = new Assignment(client, id, options.topic, context.history, options.isolation)
  }

  finish(): void {
    this.#finishing = true
  }

  /** Nothing is waited for any more. */
  abandon(): void {
    this.#finishing = true
    this.#abandoned = true
  }

  async run(): Promise<void> {
    const pauseMs = (1000 * this.#o.processes) / this.#o.rate
    this.#assign()
    while (!this.#finishing) {
      try {
        await this.#operate()
      } catch {
        // What became of it stands in the history; producers whose sequence may be broken are replaced.
        this.#producer = this.#transactional = undefined
        await pause(AGAIN_MS)
      }
      this.done++
      await pause(pauseMs)
    }
    this.#assignment.end()
    await this.#subscription?.stop()
  }

  async #operate(): Promise<void> {
    if (this.#draw(REASSIGNED)) await this.#reassign()
    else if (this.#draw(IN_TRANSACTION)) await this.#transact()
    else if (this.#draw(1 / 2)) await this.#send()
    else await this.#poll()
  }

  async #reassign(): Promise<void> {
    this.#assignment.end()
    await this.#subscription?.stop()
    this.#subscription = undefined
    if (!this.#draw(SUBSCRIBED)) return this.#assign()
    const { history } = this.#context
    this.#subscription = new Subscription(this.#kafka, this.#client, this.#group, this.#id, history, this.#o.isolation)
    await this.#subscription.start(this.#o.topic)
  }

  /** Some of the partitions, each from where it had got to, or from its beginning. */
  #assign(): void {
    const all = Array.from({ length: this.#partitions }, (_, p) => p)
    const some = all.filter(() => this.#draw(1 / 2))
    const positions = (some.length > 0 ? some : all).map((p): [number, number] => [
      p,
      this.#draw(FROM_THE_BEGINNING) ? 0 : (this.#reached.get(p) ?? 0),
    ])
    this.#assignment.take(new Map(positions))
  }

  async #poll(transaction?: Transaction): Promise<Position | undefined> {
    if (this.#subscription) await this.#subscription.poll(() => this.#abandoned)
    const partitions = this.#assignment.partitions
    if (partitions.length === 0) return undefined
    const partition = partitions[this.#random.below(partitions.length)]!
    const position = await this.#assignment.poll(partition, () => this.#abandoned, transaction)
    if (position) this.#reached.set(partition, position.offset)
    return position
  }

  async #send(): Promise<void> {
    const partition = this.#random.below(this.#partitions)
    const sends = this.#begin(partition, 1 + this.#random.below(MOST_RECORDS))
    if (!this.#producer) {
      this.#producer = new Producer(this.#client, () => this.#abandoned)
      await this.#producer.start()
    }
    try {
      const { offset } = await this.#producer.send(this.#o.topic, partition, sends.map(bytesOf))
      for (const send of sends) Object.assign(send, { outcome: 'ok', ended: Date.now() })
      placed(sends, offset)
    } catch (error) {
      for (const send of sends) Object.assign(send, { error: (error as Error).message, ended: Date.now() })
      throw error
    }
  }

  async #transact(): Promise<void> {
    const before = this.#assignment.positions()
    const producer = await this.#started()
    const transaction = this.#context.history.beginTransaction(this.#id, Date.now())
    try {
      await this.#fill(producer, transaction)
      const isAborted = this.#draw(ABORTED)
      if (!isAborted) transaction.committing = Date.now()
      await producer.end(!isAborted)
      Object.assign(transaction, { outcome: isAborted ? 'fail' : 'ok', ended: Date.now() })
      if (isAborted) this.#assignment.take(before)
    } catch (error) {
      // Without a request to commit it, there is nothing that it can become but aborted.
      Object.assign(transaction, { outcome: transaction.committing === null ? 'fail' : 'info', ended: Date.now() })
      if (!this.#subscription) this.#assignment.take(before)
      throw error
    }
    for (const { partition, offset } of transaction.positions)
      if (transaction.outcome !== 'fail') this.#committed.set(partition, offset)
  }

  async #fill(producer: TransactionalProducer, transaction: Transaction): Promise<void> {
    const read = new Map<number, Position>()
    for (let left = 1 + this.#random.below(MOST_OPERATIONS); left > 0; left--) {
      if (this.#draw(1 / 2)) await this.#sendIn(producer, transaction)
      else {
        const position = await this.#poll(transaction)
        if (position) read.set(position.partition, position)
      }
    }
    // What it reads once more was committed once already.
    const positions = [...read.values()].filter((p) => p.offset > (this.#committed.get(p.partition) ?? -1))
    if (positions.length === 0) return
    const group = `${this.#id}.positions`
    Object.assign(transaction, { group, positions })
    await producer.commitOffsets(group, this.#o.topic, new Map(positions.map((p) => [p.partition, p.offset])))
  }

  async #sendIn(producer: TransactionalProducer, transaction: Transaction): Promise<void> {
    const partition = this.#random.below(this.#partitions)
    const sends = this.#begin(partition, 1, transaction)
    const offset = await producer.send(this.#o.topic, partition, sends.map(bytesOf))
    for (const send of sends) Object.assign(send, { outcome: 'ok', ended: Date.now() })
    placed(sends, offset)
  }

  async #started(): Promise<TransactionalProducer> {
    if (this.#transactional) return this.#transactional
    const options = { client: this.#client, transactionalId: this.#id, timeoutMs: TRANSACTION_TIMEOUT_MS, version: 2 as const }
    const producer = new TransactionalProducer({ ...options, abandoned: () => this.#abandoned })
    await producer.start()
    return (this.#transactional = producer)
  }

  #begin(partition: number, count: number, transaction?: Transaction) {
    const next = this.#sequences.get(partition) ?? 0
    this.#sequences.set(partition, next + count)
    const { history } = this.#context
    return Array.from({ length: count }, (_, i) =>
      history.begin(this.#id, this.#o.topic, partition, next + i, Date.now(), transaction),
    )
  }

  get #partitions(): number {
    return this.#context.partitions.get(this.#o.topic)!
  }

  #draw(chance: number): boolean {
    return this.#random.next() < chance
  }
}

function bytesOf(send: Parameters<typeof identityOf>[0]): Uint8Array {
  return new TextEncoder().encode(identityOf(send))
}
