// Virtual time: a queue of events, run in the order of their times and, at one time, in the order in which they were scheduled.
import type { Clock, Timer } from '@faultline/base'

interface Event {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export class World {
  now = 0
  #order = 0
  readonly #heap: Event[] = []

  after(delayMs: number, run: () => void): Timer {
    const event: Event = { at: this.now + Math.max(0, delayMs), order: this.#order++, run }
    this.#push(event)
    return {
      cancel: () => {
        event.run = undefined
      },
    }
  }

  /** Runs the next event; false when there is none up to `until`, and time is `until` then. */
  step(until: number): boolean {
    for (;;) {
      const event = this.#heap[0]
      if (!event || event.at > until) {
        this.now = Math.max(this.now, until)
        return false
      }
      this.#pop()
      if (!event.run) continue
      this.now = event.at
      event.run()
      return true
    }
  }

  /** A clock that runs at its own speed. `run` wraps what its timers do. */
  clock(speed = 1, run: (timer: () => void) => void = (timer) => timer()): Clock {
    return {
      wall: () => 1_700_000_000_000 + this.now * speed,
      mono: () => this.now * speed,
      after: (delayMs, then) => this.after(delayMs / speed, () => run(then)),
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}
