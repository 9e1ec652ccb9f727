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
  /** More of them, for a report: those of which it is known when they were. */
  readonly findings: readonly Finding[]
}

export interface Finding {
  readonly words: string
  readonly at: number
  /** "orders-0" */
  readonly partition: string | null
}

/** When it was, and where: operations and what brokers say have these. */
export interface Where {
  readonly at: number | null | undefined
  readonly topic?: string
  readonly partition?: number
}

export interface Checker {
  readonly anomaly: string
  readonly what: string
  check(facts: Facts): Checked
}

const EXAMPLES = 5
const FINDINGS = 50

/** Collects what a checker finds. */
export class Findings {
  #count = 0
  #legal = 0
  readonly #reasons = new Set<string>()
  readonly #examples: string[] = []
  #findings: Finding[] = []
  #seen = 0
  #step = 1

  /** `legal`: why Kafka allows it here; without it, it does not. */
  add(example: string, legal?: string, where?: Where): void {
    this.#count++
    const words = legal === undefined ? example : `${example} (legal here: ${legal})`
    if (this.#examples.length < EXAMPLES) this.#examples.push(words)
    const { at, topic, partition } = where ?? {}
    if (at != null) this.#keep({ words, at, partition: topic === undefined ? null : `${topic}-${partition}` })
    if (legal === undefined) return
    this.#legal++
    this.#reasons.add(legal)
  }

  /** Of many, every second, every fourth …: a report shows when there were any, and not only the first. */
  #keep(finding: Finding): void {
    if (this.#seen++ % this.#step !== 0) return
    this.#findings.push(finding)
    if (this.#findings.length <= FINDINGS) return
    this.#findings = this.#findings.filter((_, i) => i % 2 === 0)
    this.#step *= 2
  }

  of(judged: number): Checked {
    return {
      count: this.#count,
      judged,
      legal: this.#legal,
      reasons: [...this.#reasons],
      examples: this.#examples,
      findings: this.#findings,
    }
  }
}
