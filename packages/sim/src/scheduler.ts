// Virtual time: events in order of their due time, and of their making where that is the same. Nothing happens between two events.
import { assert, type Clock, type Timer } from '@faultline/base'

interface Event {
  readonly due: number
  readonly order: number
  run: (() => void) | undefined
}

/** The simulated day begins here: some fixed moment, so that two runs write the same timestamps. */
const EPOCH_MS = 1_700_000_000_000

export class Scheduler {
  #now = 0
  #order = 0
  #executed = 0
  /** A binary heap by (due, order). */
  readonly #heap: Event[] = []

  get now(): number {
    return this.#now
  }

  get executed(): number {
    return this.#executed
  }

  at(due: number, run: () => void): Timer {
    const event: Event = { due: Math.max(due, this.#now), order: this.#order++, run }
    this.#push(event)
    return { cancel: () => (event.run = undefined) }
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    for (;;) {
      const event = this.#pop()
      if (!event) return false
      if (!event.run) continue
      assert(event.due >= this.#now, 'time runs forward')
      this.#now = event.due
      this.#executed++
      const { run } = event
      event.run = undefined
      run()
      return true
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(event, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (!last || heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return first
  }
}

function before(a: Event, b: Event): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order)
}

/** One node's clock. When its process ends, what it had planned does not happen. */
export class VirtualClock implements Clock {
  readonly #scheduler: Scheduler
  #running = true

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  wall(): number {
    return EPOCH_MS + Math.floor(this.#scheduler.now)
  }

  mono(): number {
    return this.#scheduler.now
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#scheduler.at(this.#scheduler.now + Math.max(0, delayMs), () => {
      if (this.#running) run()
    })
  }

  stop(): void {
    this.#running = false
  }
}
