// Looks for the dirtiest compacted log, cleans it slice by slice between other work, and looks again; rests when nothing is due.
import type { Clock, Timer } from '@faultline/base'
import type { PartitionLog } from '../partition-log.ts'
import type { Cleanable } from './cleanable.ts'

export interface CleanerOptions {
  /** log.cleaner.backoff.ms */
  readonly backoffMs?: number
  /** log.cleaner.dedupe.buffer.size */
  readonly mapLimitBytes?: number
}

export class LogCleaner {
  readonly #clock: Clock
  readonly #logs: () => readonly PartitionLog[]
  readonly #onCleaned: () => void
  readonly #backoffMs: number
  readonly #mapLimitBytes: number
  /** Their records cannot be read, and will not be before a restart. */
  readonly #uncleanable = new WeakSet<PartitionLog>()
  #timer: Timer

  constructor(clock: Clock, logs: () => readonly PartitionLog[], onCleaned: () => void, options: CleanerOptions) {
    this.#clock = clock
    this.#logs = logs
    this.#onCleaned = onCleaned
    this.#backoffMs = options.backoffMs ?? 15_000
    this.#mapLimitBytes = options.mapLimitBytes ?? 128 * 1024 * 1024
    this.#timer = clock.after(this.#backoffMs, () => this.#look())
  }

  stop(): void {
    this.#timer.cancel()
  }

  #look(): void {
    const now = this.#clock.wall()
    const found = this.#dirtiest(now)
    if (found === undefined) {
      this.#timer = this.#clock.after(this.#backoffMs, () => this.#look())
      return
    }
    const { log, cleanable } = found
    const step = log.startCleaning(cleanable, now, this.#mapLimitBytes)
    this.#timer = this.#clock.after(0, () => this.#step(log, step))
  }

  #dirtiest(now: number): { log: PartitionLog; cleanable: Cleanable } | undefined {
    let best: { log: PartitionLog; cleanable: Cleanable } | undefined
    for (const log of this.#logs()) {
      const cleanable = this.#uncleanable.has(log) ? undefined : log.cleanable(now)
      if (cleanable?.isDue && cleanable.dirtyRatio > (best?.cleanable.dirtyRatio ?? -1)) best = { log, cleanable }
    }
    return best
  }

  #step(log: PartitionLog, step: ReturnType<PartitionLog['startCleaning']>): void {
    const outcome = step()
    if (outcome === 'more') {
      this.#timer = this.#clock.after(0, () => this.#step(log, step))
      return
    }
    if (outcome === 'problem') this.#uncleanable.add(log)
    if (outcome === 'cleaned') this.#onCleaned()
    this.#timer = this.#clock.after(0, () => this.#look())
  }
}
