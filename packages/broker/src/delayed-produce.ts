// A Produce with acks=all that waits until the high watermark has passed what it appended, on every partition, or until its time is up.
import type { Clock, Timer } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import type { Partition } from './replica/partition.ts'
import type { Watcher } from './replica/watchers.ts'

export interface ProducedPartition {
  readonly partition: Partition
  /** The high watermark that acknowledges it. */
  readonly end: number
  /** Completed with an error when the promise cannot be kept. */
  readonly response: { errorCode?: number; baseOffset?: number }
}

interface Waiting extends ProducedPartition {
  readonly leaderEpoch: number
}

export class DelayedProduce implements Watcher {
  readonly done: Promise<void>
  readonly #waiting: Set<Waiting>
  readonly #timer: Timer | undefined
  #finish: () => void = () => {}

  constructor(clock: Clock, produced: readonly ProducedPartition[], timeoutMs: number) {
    this.#waiting = new Set(produced.map((p) => ({ ...p, leaderEpoch: p.partition.leaderEpoch })))
    this.done = new Promise((resolve) => (this.#finish = resolve))
    for (const { partition } of produced) partition.advanced.add(this)
    this.check()
    if (this.#waiting.size > 0) this.#timer = clock.after(Math.max(0, timeoutMs), () => this.#expire())
  }

  check(): void {
    for (const waiting of this.#waiting) {
      const { partition, end, leaderEpoch } = waiting
      if (!partition.leads || partition.leaderEpoch !== leaderEpoch) this.#complete(waiting, Errors.NOT_LEADER_OR_FOLLOWER)
      else if (partition.log.highWatermark >= end) {
        // It is on every member of the ISR; if that has shrunk below its minimum meanwhile, the promise was smaller than asked for.
        this.#complete(waiting, partition.underMinIsr ? Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND : Errors.NONE)
      }
    }
    if (this.#waiting.size === 0) {
      this.#timer?.cancel()
      this.#finish()
    }
  }

  /** Nobody wants the answer any more; what was appended stays. */
  abandon(): void {
    this.#timer?.cancel()
    for (const { partition } of this.#waiting) partition.advanced.delete(this)
  }

  #complete(waiting: Waiting, error: number): void {
    this.#waiting.delete(waiting)
    waiting.partition.advanced.delete(this)
    if (error === Errors.NONE) return
    waiting.response.errorCode = error
    waiting.response.baseOffset = -1
  }

  #expire(): void {
    for (const waiting of this.#waiting) this.#complete(waiting, Errors.REQUEST_TIMED_OUT)
    this.#finish()
  }
}
