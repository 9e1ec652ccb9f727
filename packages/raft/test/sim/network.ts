// Links that delay, lose, repeat and reorder messages, and that can be cut in one direction.
import type { Prng } from '@faultline/base'
import type { World } from './world.ts'

export interface NetworkNature {
  readonly minDelayMs: number
  readonly meanDelayMs: number
  readonly loss: number
  readonly repeat: number
  /** Share of messages that arrive seconds later. */
  readonly stray: number
}

const STRAY_MS = 4000

export class Network {
  readonly #world: World
  readonly #random: Prng
  readonly #deliver: (from: number, to: number, message: Uint8Array) => void
  #nature: NetworkNature
  readonly #cut = new Set<string>()

  constructor(
    world: World,
    random: Prng,
    nature: NetworkNature,
    deliver: (from: number, to: number, message: Uint8Array) => void,
  ) {
    this.#world = world
    this.#random = random
    this.#nature = nature
    this.#deliver = deliver
  }

  send(from: number, to: number, message: Uint8Array): void {
    const { loss, repeat } = this.#nature
    if (this.#random.next() < loss) return
    this.#deliverLater(from, to, message)
    if (this.#random.next() < repeat) this.#deliverLater(from, to, message)
  }

  #deliverLater(from: number, to: number, message: Uint8Array): void {
    const { minDelayMs, meanDelayMs, stray } = this.#nature
    const usual = minDelayMs - Math.log(1 - this.#random.next()) * meanDelayMs
    const delay = this.#random.next() < stray ? this.#random.next() * STRAY_MS : usual
    // A cut is felt on arrival, so that what was under way when a link was cut is lost, and strays cross a healed one.
    this.#world.after(delay, () => this.#cut.has(`${from}>${to}`) || this.#deliver(from, to, message))
  }

  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`)
  }

  heal(): void {
    this.#cut.clear()
  }

  become(nature: NetworkNature): void {
    this.#nature = nature
  }
}
