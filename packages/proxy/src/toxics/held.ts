// A queue of what a toxic holds back for a while, bounded: when it holds too much, reading stops.
import type { LinkControl, Output } from '../link.ts'

/** Toxiproxy holds a thousand chunks of 32 KiB. */
const LIMIT_BYTES = 32 * 1024 * 1024

export class Held {
  readonly #output: Output
  readonly #link: LinkControl
  #items: (Buffer | 'end')[] = []
  #bytes = 0
  #paused = false

  constructor(output: Output, link: LinkControl) {
    this.#output = output
    this.#link = link
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  get first(): Buffer | 'end' | undefined {
    return this.#items[0]
  }

  add(item: Buffer | 'end'): void {
    this.#items.push(item)
    if (item !== 'end') this.#bytes += item.length
    this.#regulate()
  }

  /** The first one goes out. */
  pass(): void {
    const item = this.#items.shift()
    if (item === undefined) return
    if (item === 'end') this.#output.end()
    else {
      this.#bytes -= item.length
      this.#output.push(item)
    }
    this.#regulate()
  }

  passAll(): void {
    while (!this.isEmpty) this.pass()
  }

  drop(): void {
    this.#items = []
    this.#bytes = 0
    this.#regulate()
  }

  #regulate(): void {
    const full = this.#bytes > LIMIT_BYTES
    if (full === this.#paused) return
    this.#paused = full
    if (full) this.#link.pause()
    else this.#link.resume()
  }
}
