// A subscribed consumer that is polled: kafkajs hands out batches as they come, so each waits here until somebody takes it. kafkajs says what is this
// member's to read, and commits; the reading is our own client's, as kafkajs errs where aborted transactions overlap (docs/internals/lab.md).
import { type ClusterClient, readCommitted } from '@faultline/client'
import type { Batch, Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { History } from '../history/history.ts'
import { GroupHolds } from './group-holds.ts'
import { RETRY } from './kafkajs.ts'
import { within } from './workload.ts'

type Isolation = 'read_committed' | 'read_uncommitted'

const HEARTBEAT_MS = 200

interface Offered {
  readonly payload: EachBatchPayload
  taken: boolean
  done: () => void
}

export class Subscription {
  readonly #client: ClusterClient
  readonly #isolation: Isolation
  readonly #consumer: Consumer
  readonly #process: string
  readonly #history: History
  readonly #holds: GroupHolds
  readonly #offered: Offered[] = []

  constructor(kafka: Kafka, client: ClusterClient, group: string, process: string, history: History, isolation: Isolation) {
    this.#client = client
    this.#isolation = isolation
    this.#process = process
    this.#history = history
    this.#consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
      readUncommitted: true,
      retry: { ...RETRY, restartOnFailure: async () => true },
    })
    this.#holds = new GroupHolds(this.#consumer, process, history)
  }

  async start(topic: string): Promise<void> {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic, fromBeginning: true })
    await this.#consumer.run({
      autoCommitInterval: 500,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#offer(payload),
    })
  }

  /** Reads what has been handed out, if anything has. */
  async poll(abandoned: () => boolean): Promise<void> {
    const offered = this.#offered.shift()
    if (!offered) return
    const { batch, resolveOffset } = offered.payload
    try {
      const last = await this.#read(batch, abandoned)
      if (last !== undefined) resolveOffset(String(last))
    } finally {
      offered.taken = true
      offered.done()
    }
  }

  /** The last offset that is done with; undefined when that is none, or the partition is somebody else's by now. */
  async #read(batch: Batch, abandoned: () => boolean): Promise<number | undefined> {
    const { topic, partition } = batch
    const [first, last] = [Number(batch.firstOffset()), Number(batch.lastOffset())]
    const hold = this.#holds.of(topic, partition)
    const read = await readCommitted(this.#client, topic, partition, first, abandoned, this.#isolation)
    if (hold === undefined || hold.ended !== null) return undefined
    const text = new TextDecoder()
    const about = { process: this.#process, topic, partition, hold: hold.number, at: Date.now() }
    for (const { offset, key, value } of read.records)
      if (offset <= last)
        this.#history.reads.push({ op: 'read', ...about, offset, key: text.decode(key), value: text.decode(value) })
    const done = Math.min(read.nextOffset - 1, last)
    return done < first ? undefined : done
  }

  async stop(): Promise<void> {
    this.#holds.end()
    for (const { done } of this.#offered.splice(0)) done()
    await within(this.#consumer.disconnect())
  }

  /** Until it is taken, or is the consumer's no more; meanwhile the group hears of the consumer. */
  async #offer(payload: EachBatchPayload): Promise<void> {
    let done = () => {}
    const over = new Promise<void>((resolve) => (done = resolve))
    const offered: Offered = { payload, taken: false, done }
    this.#offered.push(offered)
    try {
      while (!offered.taken && payload.isRunning() && !payload.isStale()) {
        await Promise.race([over, new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS))])
        await payload.heartbeat()
      }
    } finally {
      const at = this.#offered.indexOf(offered)
      if (at >= 0) this.#offered.splice(at, 1)
    }
  }
}
