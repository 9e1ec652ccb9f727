// Writes on their way to the disk, and what waits for them: promises to peers, the node's vote for itself, the durable end of its log.
import { assert } from '@faultline/base'
import type { Message } from './message.ts'
import type { Rules } from './rules.ts'

export interface Envelope {
  readonly to: number
  readonly message: Message
}

interface Write {
  readonly sequence: number
  readonly since: number
  /** Last index of the log as written. */
  readonly written: number
  /** Entries after this have been replaced since: that this write is done says nothing about those that took their place. */
  intact: number
  /** The term in which this write holds the node's vote for itself. */
  readonly selfVote: number | undefined
  readonly held: Envelope[]
}

/** Peers repeat what matters, so a stuck disk must not make messages pile up. */
const HELD_LIMIT = 1024

export interface Completed {
  readonly selfVote: number | undefined
  readonly released: readonly Envelope[]
}

export class Writes {
  readonly #rules: Rules
  readonly #pending: Write[] = []
  #sequence = 0
  /** The log is on disk, as it stands in memory, up to here. */
  durable: number

  constructor(rules: Rules, durable: number) {
    this.#rules = rules
    this.durable = durable
  }

  get idle(): boolean {
    return this.#pending.length === 0
  }
  /** When the oldest unfinished write began. */
  get stuckSince(): number {
    return this.#pending[0]?.since ?? Number.POSITIVE_INFINITY
  }

  begin(now: number, lastIndex: number, selfVote: number | undefined): number {
    const sequence = ++this.#sequence
    this.#pending.push({ sequence, since: now, written: lastIndex, intact: lastIndex, selfVote, held: [] })
    return sequence
  }

  /** Sent once everything begun so far is durable. */
  hold(envelope: Envelope): void {
    const { held } = this.#pending.at(-1)!
    if (held.length < HELD_LIMIT) held.push(envelope)
  }

  /** The log after `index` is about to be replaced. */
  replacedAfter(index: number): void {
    this.durable = Math.min(this.durable, index)
    for (const write of this.#pending) write.intact = Math.min(write.intact, index)
  }

  /** Writes finish in order. */
  complete(sequence: number): Completed {
    const write = this.#pending.shift()
    assert(write?.sequence === sequence, `write ${sequence} done, expected ${write?.sequence ?? 'none'}`)
    this.durable = Math.max(this.durable, this.#rules.durableAfter(write.written, write.intact))
    return { selfVote: write.selfVote, released: write.held }
  }
}
