// A request that waits until something has come true of each of its partitions, or until its time is up. A partition that is led by another
// one meanwhile, or by this one anew, is not waited for.
import type { Clock, Timer } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import type { Partition } from './replica/partition.ts'
import type { Watcher } from './replica/watchers.ts'

export interface AwaitedPartition {
  readonly partition: Partition
}

export abstract class DelayedRequest<P extends AwaitedPartition> implements Watcher {
  readonly done: Promise<void>
  /** With the leader epoch in which each began to wait. */
  readonly #waiting: Map<P, number>
  readonly #event: 'advanced' | 'shortened'
  readonly #timer: Timer | undefined
  #finish: () => void = () => {}

  /** `event`: what has to happen to a partition for its time to come. */
  constructor(clock: Clock, awaited: readonly P[], timeoutMs: number, event: 'advanced' | 'shortened') {
    this.#event = event
    this.#waiting = new Map(awaited.map((p) => [p, p.partition.leaderEpoch]))
    this.done = new Promise((resolve) => (this.#finish = resolve))
    for (const { partition } of awaited) partition[event].add(this)
    this.check()
    if (this.#waiting.size > 0) this.#timer = clock.after(Math.max(0, timeoutMs), () => this.#expire())
  }

  /** The error code to answer with, or undefined while it is to be waited for. */
  protected abstract outcome(awaited: P): number | undefined

  protected abstract complete(awaited: P, error: number): void

  check(): void {
    for (const [awaited, leaderEpoch] of this.#waiting) {
      const { partition } = awaited
      const isLed = partition.leads && partition.leaderEpoch === leaderEpoch
      const error = isLed ? this.outcome(awaited) : Errors.NOT_LEADER_OR_FOLLOWER
      if (error !== undefined) this.#end(awaited, error)
    }
    if (this.#waiting.size === 0) {
      this.#timer?.cancel()
      this.#finish()
    }
  }

  /** Nobody wants the answer any more; what was done stays. */
  abandon(): void {
    this.#timer?.cancel()
    for (const { partition } of this.#waiting.keys()) partition[this.#event].delete(this)
  }

  #end(awaited: P, error: number): void {
    this.#waiting.delete(awaited)
    awaited.partition[this.#event].delete(this)
    this.complete(awaited, error)
  }

  #expire(): void {
    for (const awaited of this.#waiting.keys()) this.#end(awaited, Errors.REQUEST_TIMED_OUT)
    this.#finish()
  }
}
