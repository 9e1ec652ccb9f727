// What a checker is: it looks for one anomaly in a history, and tells how often it is there and how much it has looked at.
import type { History } from '../history/history.ts'

export interface Checked {
  readonly count: number
  /** Operations that could have shown it: with none, nothing is proved. */
  readonly judged: number
  /** A few of them, in words. */
  readonly examples: readonly string[]
}

export interface Checker {
  readonly anomaly: string
  readonly what: string
  check(history: History): Checked
}

const EXAMPLES = 5

/** Collects what a checker finds. */
export class Findings {
  #count = 0
  readonly #examples: string[] = []

  add(example: string): void {
    this.#count++
    if (this.#examples.length < EXAMPLES) this.#examples.push(example)
  }

  of(judged: number): Checked {
    return { count: this.#count, judged, examples: this.#examples }
  }
}
