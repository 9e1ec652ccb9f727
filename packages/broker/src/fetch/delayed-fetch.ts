// A fetch that waits for data: until there are enough bytes, something is wrong with one of its partitions, or its time is up.
import type { Clock, Timer } from '@faultline/base'
import type { Partition } from '../replica/partition.ts'
import type { Watcher } from '../replica/watchers.ts'
import type { FetchedPartition } from './fetch-partition.ts'

export class DelayedFetch implements Watcher {
  readonly done: Promise<readonly FetchedPartition[]>
  readonly #read: () => readonly FetchedPartition[]
  readonly #isEnough: (results: readonly FetchedPartition[]) => boolean
  readonly #partitions: readonly Partition[]
  readonly #timer: Timer
  #finish: (results: readonly FetchedPartition[]) => void = () => {}

  constructor(
    clock: Clock,
    partitions: readonly Partition[],
    maxWaitMs: number,
    read: () => readonly FetchedPartition[],
    isEnough: (results: readonly FetchedPartition[]) => boolean,
  ) {
    this.#read = read
    this.#isEnough = isEnough
    this.#partitions = partitions
    this.done = new Promise((resolve) => (this.#finish = resolve))
    for (const partition of partitions) partition.advanced.add(this)
    this.#timer = clock.after(maxWaitMs, () => this.#complete(this.#read()))
  }

  check(): void {
    const results = this.#read()
    if (this.#isEnough(results)) this.#complete(results)
  }

  /** Nobody wants the answer any more. */
  abandon(): void {
    this.#timer.cancel()
    for (const partition of this.#partitions) partition.advanced.delete(this)
  }

  #complete(results: readonly FetchedPartition[]): void {
    this.abandon()
    this.#finish(results)
  }
}
