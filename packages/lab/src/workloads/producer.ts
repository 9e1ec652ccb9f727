// A producer: each partition gets its records in order, in small batches, at a steady rate. kafkajs, as anybody would install it.
import { EventEmitter } from 'node:events'
import { Partitioners, type Producer } from 'kafkajs'
import type { Workload } from '../experiment/schema.ts'
import { identityOf, type Send } from '../history/history.ts'
import { kafkaOf, RETRY } from './kafkajs.ts'
import { placed, type RunningWorkload, within, type WorkloadContext } from './workload.ts'

type Options = Extract<Workload, { kind: 'producer' }>

const BATCH = 4

export async function startProducer(options: Options, name: string, context: WorkloadContext): Promise<RunningWorkload> {
  const partitions = context.partitions.get(options.topic)!
  // While a broker is away, the loop of each of its partitions waits for the same connection.
  EventEmitter.defaultMaxListeners = Math.max(EventEmitter.defaultMaxListeners, 4 * partitions)
  const producer = kafkaOf(name, context, RETRY).producer({
    idempotent: options.idempotent,
    retry: RETRY,
    metadataMaxAge: 1000,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  const running = new RunningProducer(options, name, context, producer)
  running.start(partitions)
  return running
}

class RunningProducer implements RunningWorkload {
  readonly name: string
  readonly #o: Options
  readonly #context: WorkloadContext
  readonly #producer: Producer
  #loops: Promise<void>[] = []
  #producing = true
  #acknowledged = 0

  constructor(options: Options, name: string, context: WorkloadContext, producer: Producer) {
    this.name = name
    this.#o = options
    this.#context = context
    this.#producer = producer
  }

  start(partitions: number): void {
    const pauseMs = (1000 * BATCH * partitions) / this.#o.rate
    this.#loops = Array.from({ length: partitions }, (_, partition) => this.#produce(partition, pauseMs))
  }

  get flows(): boolean {
    return this.#acknowledged >= 100
  }

  async stopProducing(): Promise<void> {
    this.#producing = false
    await Promise.all(this.#loops)
  }

  async stop(): Promise<void> {
    this.#producing = false
    await within(this.#producer.disconnect())
  }

  async #produce(partition: number, pauseMs: number): Promise<void> {
    let next = Date.now()
    for (let sequence = 0; this.#producing; sequence += BATCH) {
      const sends = Array.from({ length: BATCH }, (_, i) =>
        this.#context.history.begin(this.name, this.#o.topic, partition, sequence + i, Date.now()),
      )
      const known = await this.#send(partition, sends)
      // kafkajs would send the next batch under the same sequence numbers: what became of this one is open for ever.
      if (!known && this.#o.idempotent) return this.#context.died(`${this.name}: ${sends[0]!.error}`)
      next = Math.max(next + pauseMs, Date.now())
      await new Promise((resolve) => setTimeout(resolve, next - Date.now()))
    }
  }

  async #send(partition: number, sends: readonly Send[]): Promise<boolean> {
    const messages = sends.map((s) => ({ partition, key: identityOf(s), value: identityOf(s) }))
    try {
      const acks = this.#o.acks === 'all' ? -1 : this.#o.acks
      const [answer] = await this.#producer.send({ topic: this.#o.topic, acks, messages })
      this.#end(sends, 'ok', null)
      placed(sends, Number(answer?.baseOffset ?? -1))
      return true
    } catch (error) {
      this.#end(sends, 'info', (error as Error).message)
      return false
    }
  }

  #end(sends: readonly Send[], outcome: Send['outcome'], error: string | null): void {
    const now = Date.now()
    for (const send of sends) Object.assign(send, { outcome, error, ended: now })
    if (outcome === 'ok') this.#acknowledged += sends.length
  }
}
