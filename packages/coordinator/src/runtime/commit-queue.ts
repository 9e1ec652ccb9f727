// Answers that wait until what they rest on is committed. Offsets and deadlines both only grow, so the queue is in order of each.
import type { Clock } from '@faultline/base'
import { Deadline } from './deadline.ts'

export interface Answer {
  send(): void
  fail(): void
}

interface Waiting {
  readonly offset: number
  readonly until: number
  readonly answer: Answer
}

export class CommitQueue {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #deadline: Deadline
  #waiting: Waiting[] = []

  constructor(clock: Clock, deadlines: Set<Deadline>, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#deadline = new Deadline(clock, deadlines, () => this.#expire())
  }

  get size(): number {
    return this.#waiting.length
  }

  /** `answer` leaves once the high watermark has come to `offset`. */
  add(offset: number, answer: Answer): void {
    this.#waiting.push({ offset, until: this.#clock.mono() + this.#timeoutMs, answer })
    if (!this.#deadline.pending) this.#deadline.set(this.#timeoutMs)
  }

  advance(highWatermark: number): void {
    let count = 0
    while (count < this.#waiting.length && this.#waiting[count]!.offset <= highWatermark) count++
    for (const { answer } of this.#take(count)) answer.send()
  }

  failAll(): void {
    for (const { answer } of this.#take(this.#waiting.length)) answer.fail()
  }

  #expire(): void {
    const now = this.#clock.mono()
    let count = 0
    while (count < this.#waiting.length && this.#waiting[count]!.until <= now) count++
    for (const { answer } of this.#take(count)) answer.fail()
  }

  #take(count: number): Waiting[] {
    if (count === 0) return []
    const taken = this.#waiting.splice(0, count)
    const next = this.#waiting[0]
    if (next) this.#deadline.set(next.until - this.#clock.mono())
    else this.#deadline.clear()
    return taken
  }
}
