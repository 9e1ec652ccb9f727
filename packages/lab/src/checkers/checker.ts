// What a checker is: it looks for one anomaly in what a run has left, and tells how often it is there and how much it has looked at.
import type { Facts } from './facts.ts'

export interface Checked {
  readonly count: number
  /** Operations that could have shown it: with none, nothing is proved. */
  readonly judged: number
  /** How many of the count Kafka allows under what the experiment does, and why. */
  readonly legal: number
  readonly reasons: readonly string[]
  /** A few of them, in words. */
  readonly examples: readonly string[]
}

export interface Checker {
  readonly anomaly: string
  readonly what: string
  check(facts: Facts): Checked
}

const EXAMPLES = 5

/** Collects what a checker finds. */
export class Findings {
  #count = 0
  #legal = 0
  readonly #reasons = new Set<string>()
  readonly #examples: string[] = []

  /** `legal`: why Kafka allows it here; without it, it does not. */
  add(example: string, legal?: string): void {
    this.#count++
    if (this.#examples.length < EXAMPLES) this.#examples.push(legal === undefined ? example : `${example} (legal here: ${legal})`)
    if (legal === undefined) return
    this.#legal++
    this.#reasons.add(legal)
  }

  of(judged: number): Checked {
    return { count: this.#count, judged, legal: this.#legal, reasons: [...this.#reasons], examples: this.#examples }
  }
}
