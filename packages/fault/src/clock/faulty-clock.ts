// The Clock port with faults: a step moves the wall clock alone; drift and freeze move both clocks, and the timers with them. Healed, the
// wall clock shows the true time again; the monotonic one never goes back.
import type { Clock, Timer } from '@faultline/base'
import type { ArmedFaults } from '../armed-faults.ts'

interface Pending {
  /** On this clock's own monotonic time. */
  readonly due: number
  readonly run: () => void
  timer: Timer | undefined
}

export class FaultyClock implements Clock {
  readonly #clock: Clock
  readonly #faults: ArmedFaults
  readonly #pending = new Set<Pending>()
  #rate = 1
  #stepMs = 0
  /** Times of both clocks when the rate last changed. */
  #from = { base: 0, mono: 0, wall: 0 }
  #isTrue = true

  constructor(clock: Clock, faults: ArmedFaults) {
    this.#clock = clock
    this.#faults = faults
    const mono = clock.mono()
    this.#from = { base: mono, mono, wall: clock.wall() }
  }

  wall(): number {
    if (this.#isTrue) return this.#clock.wall()
    return Math.round(this.#from.wall + (this.#clock.mono() - this.#from.base) * this.#rate) + this.#stepMs
  }

  mono(): number {
    return this.#from.mono + (this.#clock.mono() - this.#from.base) * this.#rate
  }

  after(delayMs: number, run: () => void): Timer {
    const pending: Pending = { due: this.mono() + Math.max(0, delayMs), run, timer: undefined }
    this.#pending.add(pending)
    this.#schedule(pending, delayMs)
    return {
      cancel: () => {
        this.#pending.delete(pending)
        pending.timer?.cancel()
      },
    }
  }

  /** The armed clock faults have changed. */
  adapt(): void {
    const armed = this.#faults.of('clock').filter((a) => a.hits > 0 && !a.fault.observe)
    const of = (kind: string) => armed.filter((a) => a.fault.kind === kind)
    const wall = armed.length === 0 ? this.#clock.wall() : this.wall() - this.#stepMs
    this.#from = { base: this.#clock.mono(), mono: this.mono(), wall }
    this.#isTrue = armed.length === 0
    this.#stepMs = of('step').reduce((sum, a) => sum + a.number('ms', 0), 0)
    this.#rate = of('freeze').length > 0 ? 0 : of('drift').reduce((rate, a) => rate * a.number('rate', 1), 1)
    for (const pending of this.#pending) {
      pending.timer?.cancel()
      this.#schedule(pending, pending.due - this.mono())
    }
  }

  #schedule(pending: Pending, delayMs: number): void {
    pending.timer = undefined
    if (this.#rate === 0) return
    pending.timer = this.#clock.after(delayMs / this.#rate, () => {
      this.#pending.delete(pending)
      pending.run()
    })
  }
}
