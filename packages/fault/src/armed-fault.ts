// One fault that is armed in a node: which of the occasions that match it hits, and how often it has.
import { Prng } from '@faultline/base'
import { type Condition, type Fields, holds } from './condition/condition.ts'
import { parseCondition } from './condition/parse.ts'
import { SUBJECTS } from './condition/subjects.ts'
import type { NodeFault } from './node-fault.ts'

/**
 * Counts the occasions of a fault over all nodes that are armed with it: the number of this one, from 1. Undefined when there are to be no
 * more: `limit` have been counted, or the fault has ended.
 */
export type Tally = (fault: string, limit: number) => number | undefined

export class ArmedFault {
  readonly fault: NodeFault
  readonly condition: Condition | undefined
  hits = 0
  /** Occasions that its selectors match, whatever its trigger makes of them. */
  matched = 0
  /** What a kind keeps between its hits. */
  readonly memory = new Map<string, unknown>()
  readonly #tally: Tally
  #counted = 0
  #spent = false
  /** How often the condition has become true, less the hits that came of it. */
  #owed = 0
  /** How often it has become true elsewhere, all in all. */
  #told = 0
  #held = false
  /** Its object was here when it was last looked at. */
  #owned = false
  readonly #random: Prng
  readonly #undo = new Set<() => void>()

  /** Throws ConditionError. Without a tally it counts for itself. */
  constructor(fault: NodeFault, tally?: Tally) {
    this.fault = fault
    this.condition = fault.trigger.when === undefined ? undefined : parseCondition(fault.trigger.when)
    this.#random = new Prng(fault.trigger.seed ?? 0)
    const { nth, every } = fault.trigger
    const counts = fault.count !== null || nth !== undefined || every !== undefined || fault.trigger.told === true
    this.#tally = counts && tally ? tally : () => ++this.#counted
  }

  get isSpent(): boolean {
    return this.#spent
  }

  text(name: string, otherwise: string): string {
    return String(this.fault.parameters[name] ?? otherwise)
  }

  number(name: string, otherwise: number): number {
    return Number(this.fault.parameters[name] ?? otherwise)
  }

  /** An occasion that matches has come. True when it is hit. */
  decide(hitsOf: (fault: string) => number): boolean {
    this.matched++
    if (this.#spent) return false
    const { probability, after, told } = this.fault.trigger
    const waits = this.condition !== undefined || told === true
    if (after && hitsOf(after.fault) < after.hits) return false
    if (waits && this.#owed === 0) return false
    if (probability !== undefined && this.#random.next() >= probability) return false
    if (!this.#isCounted()) return false
    if (waits) this.#owed--
    this.hits++
    return true
  }

  /** By its number among all occasions. */
  #isCounted(): boolean {
    const { nth, every = 1, told } = this.fault.trigger
    const occasion = this.#tally(this.fault.id, told ? this.#told : Number.POSITIVE_INFINITY)
    if (occasion === undefined) return false
    const count = this.fault.count ?? Number.POSITIVE_INFINITY
    const hit = nth === undefined ? occasion / every : occasion - nth + 1
    this.#spent = hit >= count || (nth !== undefined && hit >= 1)
    return nth === undefined ? Number.isInteger(hit) && hit <= count : hit === 1
  }

  /** Something was emitted, or has changed: true when the condition has become true by it. `look` tells how an object stands now. */
  observe(event: string, eventFields: Fields, look: (subject: string, key: string) => Fields | undefined): boolean {
    const [first] = this.condition ?? []
    if (!first) return false
    const subject = SUBJECTS[first.subject]!
    if (subject.event !== event) return false
    if (!subject.of) return this.#found(look(first.subject, first.key))
    const { key, fields } = subject.of(eventFields)
    return key === first.key && this.#consider(fields)
  }

  /** In other nodes the condition has become true so often, all in all. */
  owe(times: number): void {
    this.#owed += times - this.#told
    this.#told = times
  }

  /** How things stand when it is armed: what holds already is as good as what becomes true. */
  begin(fields: Fields | undefined): boolean {
    this.#owned = fields !== undefined
    return fields !== undefined && this.#consider(fields)
  }

  /** What came here from another node is found, and has not become true by that. */
  #found(fields: Fields | undefined): boolean {
    const isNew = !this.#owned
    this.#owned = fields !== undefined
    if (!fields) return (this.#held = false)
    if (!isNew) return this.#consider(fields)
    this.#held = holds(this.condition!, fields)
    return false
  }

  #consider(fields: Fields): boolean {
    const before = this.#held
    this.#held = holds(this.condition!, fields)
    if (!this.#held || before) return false
    this.#owed++
    return true
  }

  /** What is to be done when it is disarmed, so that nothing of it stays. */
  onDisarm(undo: () => void): () => void {
    this.#undo.add(undo)
    return () => this.#undo.delete(undo)
  }

  disarm(): void {
    for (const undo of this.#undo) undo()
    this.#undo.clear()
  }
}
