// A subscribed consumer that is polled: kafkajs hands out batches as they come, so each waits here until somebody takes it.
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { History } from '../history/history.ts'
import { GroupHolds } from './group-holds.ts'
import { RETRY, within } from './workload.ts'

const HEARTBEAT_MS = 200

interface Offered {
  readonly payload: EachBatchPayload
  taken: boolean
  done: () => void
}

export class Subscription {
  readonly #consumer: Consumer
  readonly #process: string
  readonly #history: History
  readonly #holds: GroupHolds
  readonly #offered: Offered[] = []

  constructor(kafka: Kafka, group: string, process: string, history: History) {
    this.#process = process
    this.#history = history
    this.#consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
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
  poll(): void {
    const offered = this.#offered.shift()
    if (!offered) return
    const { batch, resolveOffset } = offered.payload
    const { topic, partition } = batch
    const hold = this.#holds.of(topic, partition)?.number
    for (const { offset, key, value } of batch.messages) {
      const text = { key: key?.toString() ?? '', value: value?.toString() ?? '' }
      const about = { process: this.#process, topic, partition, offset: Number(offset), at: Date.now() }
      this.#history.reads.push({ op: 'read', ...about, ...text, ...(hold === undefined ? {} : { hold }) })
    }
    resolveOffset(batch.lastOffset())
    offered.taken = true
    offered.done()
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
