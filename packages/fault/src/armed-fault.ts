// One fault that is armed in a node: which of the occasions that match it hits, and how often it has.
import { Prng } from '@faultline/base'
import { type Condition, type Fields, holds } from './condition/condition.ts'
import { parseCondition } from './condition/parse.ts'
import { SUBJECTS } from './condition/subjects.ts'
import type { NodeFault } from './node-fault.ts'

export class ArmedFault {
  readonly fault: NodeFault
  readonly condition: Condition | undefined
  hits = 0
  /** What a kind keeps between its hits. */
  readonly memory = new Map<string, unknown>()
  #occasions = 0
  /** How often the condition has become true, less the hits that came of it. */
  #owed = 0
  #held = false
  readonly #random: Prng
  readonly #undo = new Set<() => void>()

  /** Throws ConditionError. */
  constructor(fault: NodeFault) {
    this.fault = fault
    this.condition = fault.trigger.when === undefined ? undefined : parseCondition(fault.trigger.when)
    this.#random = new Prng(fault.trigger.seed ?? 0)
  }

  get isSpent(): boolean {
    return this.fault.count !== null && this.hits >= this.fault.count
  }

  text(name: string, otherwise: string): string {
    return String(this.fault.parameters[name] ?? otherwise)
  }

  number(name: string, otherwise: number): number {
    return Number(this.fault.parameters[name] ?? otherwise)
  }

  /** An occasion that matches has come. True when it is hit. */
  decide(hitsOf: (fault: string) => number): boolean {
    if (this.isSpent) return false
    const { nth, every, probability, after } = this.fault.trigger
    if (after && hitsOf(after.fault) < after.hits) return false
    if (this.condition && this.#owed === 0) return false
    this.#occasions++
    if (nth !== undefined && this.#occasions !== nth) return false
    if (every !== undefined && this.#occasions % every !== 0) return false
    if (probability !== undefined && this.#random.next() >= probability) return false
    if (this.condition) this.#owed--
    this.hits++
    return true
  }

  /** Something was emitted. True when the condition has become true by it. */
  observe(event: string, eventFields: Fields): boolean {
    const [first] = this.condition ?? []
    if (!first) return false
    const subject = SUBJECTS[first.subject]!
    if (subject.event !== event) return false
    const { key, fields } = subject.of(eventFields)
    return key === first.key && this.#consider(fields)
  }

  /** How things stand when it is armed. */
  begin(fields: Fields | undefined): boolean {
    return fields !== undefined && this.#consider(fields)
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
