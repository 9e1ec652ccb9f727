// A time by which something must happen, moved often and reached seldom: moving it later does not touch the timer.
import type { Clock, Timer } from '@faultline/base'

const NEVER = Number.POSITIVE_INFINITY

export class Deadline {
  readonly #clock: Clock
  readonly #pending: Set<Deadline>
  readonly #expire: () => void
  #at = NEVER
  #timer: Timer | undefined
  #timerAt = NEVER

  /** Is in `pending` for as long as it is set: whoever keeps that set can clear all of them. */
  constructor(clock: Clock, pending: Set<Deadline>, expire: () => void) {
    this.#clock = clock
    this.#pending = pending
    this.#expire = expire
  }

  get pending(): boolean {
    return this.#at !== NEVER
  }

  /** In `delayMs` from now, whatever was set before. */
  set(delayMs: number): void {
    this.#at = this.#clock.mono() + Math.max(0, delayMs)
    this.#pending.add(this)
    if (this.#timerAt <= this.#at) return
    this.#timer?.cancel()
    this.#arm()
  }

  clear(): void {
    this.#at = NEVER
    this.#timerAt = NEVER
    this.#timer?.cancel()
    this.#timer = undefined
    this.#pending.delete(this)
  }

  #arm(): void {
    this.#timerAt = this.#at
    this.#timer = this.#clock.after(this.#at - this.#clock.mono(), () => this.#ring())
  }

  #ring(): void {
    if (this.#clock.mono() < this.#at) return this.#arm()
    this.clear()
    this.#expire()
  }
}
