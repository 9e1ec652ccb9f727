// Appends that a slow disk has not finished. They have their offsets, and nobody sees them yet: no follower, no high watermark, no
// acknowledgement. The broker goes on meanwhile, as Kafka's other threads do while one waits in its append.
import type { Clock, Timer } from '@faultline/base'

interface LateWrite {
  /** The end of what is written while this append is not. */
  readonly from: number
  readonly due: number
  readonly timer: Timer
  readonly done: Promise<void>
  readonly finish: () => void
}

export class LateWrites {
  readonly #clock: Clock
  /** In the order of the log. */
  readonly #late: LateWrite[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Where the log ends for everyone else, if its own end is `logEndOffset`. */
  writtenEnd(logEndOffset: number): number {
    return this.#late[0]?.from ?? logEndOffset
  }

  /** When all that was appended so far is written; undefined when it is. */
  get done(): Promise<void> | undefined {
    return this.#late.length === 0 ? undefined : this.#late.at(-1)!.done
  }

  /** An append at `from` is written in `lateMs`, and not before the ones before it: then `written` is called, at once if that is now. */
  add(from: number, lateMs: number, written: () => void): void {
    const last = this.#late.at(-1)
    if (lateMs <= 0 && !last) return written()
    const now = this.#clock.mono()
    const due = Math.max(now + lateMs, last?.due ?? 0)
    let resolve = () => {}
    const done = new Promise<void>((r) => (resolve = r))
    const timer = this.#clock.after(due - now, () => {
      this.#late.shift()
      written()
      resolve()
    })
    this.#late.push({ from, due, timer, done, finish: resolve })
  }

  /** Another role, or the end of this one: what is on the disk is all that counts from now on. */
  clear(): void {
    for (const { timer, finish } of this.#late.splice(0)) {
      timer.cancel()
      finish()
    }
  }
}
