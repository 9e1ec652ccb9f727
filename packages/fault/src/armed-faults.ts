// The faults that are armed in one node. Disarmed, it costs a look at an empty list.
import type { EventFields, EventSink } from '@faultline/base'
import { ArmedFault, type Tally } from './armed-fault.ts'
import type { Fields } from './condition/condition.ts'
import type { NodeFamily, NodeFault } from './node-fault.ts'
import type { PointName } from './points.ts'

const NONE: readonly ArmedFault[] = []
const NOTHING: EventFields = {}

export interface FaultReport {
  readonly id: string
  readonly hits: number
  readonly matched: number
  readonly spent: boolean
}

/** How an object that conditions speak of stands now; undefined when another node owns it. */
export type Vantage = (subject: string, key: string) => Fields | undefined

export class ArmedFaults {
  readonly #events: EventSink
  readonly #tally: Tally | undefined
  readonly #all = new Map<string, ArmedFault>()
  /** Act no more; what they have begun goes on. */
  readonly #retired = new Set<string>()
  /** Hits in all nodes, for faults that wait for those. */
  readonly #elsewhere = new Map<string, number>()
  #families: Readonly<Record<NodeFamily, readonly ArmedFault[]>> = {
    protocol: NONE,
    storage: NONE,
    clock: NONE,
    point: NONE,
    watch: NONE,
  }
  #conditional: readonly ArmedFault[] = NONE
  vantage: Vantage = () => undefined
  /** A fault was armed or disarmed: whoever acts all the time (clocks) adapts. */
  onChange: () => void = () => {}

  /** What has no occasions of its own (clocks, watches) acts: when it is armed, or in the step in which its condition comes true. */
  onNotice: (armed: ArmedFault) => void = () => {}
  /** A failpoint was hit. */
  onPoint: (armed: ArmedFault) => void = () => {}

  /** `tally` counts with the other nodes; without it this one counts for itself. */
  constructor(events: EventSink, tally?: Tally) {
    this.#events = events
    this.#tally = tally
  }

  /** Those that may act on occasions of this family. */
  of(family: NodeFamily): readonly ArmedFault[] {
    return this.#families[family]
  }

  /** Throws ConditionError. A fault of the same id is replaced. */
  arm(fault: NodeFault): void {
    const armed = new ArmedFault(fault, this.#tally)
    this.disarm(fault.id)
    this.#all.set(fault.id, armed)
    this.#sort()
    const [first] = armed.condition ?? []
    if (first && armed.begin(this.vantage(first.subject, first.key))) this.#cameTrue(armed)
    else if (!first && fault.trigger.told !== true && fault.family === 'clock') this.#notice(armed)
  }

  disarm(id: string): boolean {
    const armed = this.#all.get(id)
    if (!armed) return false
    this.#all.delete(id)
    this.#retired.delete(id)
    this.#sort()
    armed.disarm()
    return true
  }

  /** Its count is reached: it costs nothing any more. What it holds up (an answer that waits) is held up until it is disarmed. */
  retire(id: string): void {
    if (!this.#all.has(id)) return
    this.#retired.add(id)
    this.#sort()
  }

  disarmAll(): void {
    for (const id of [...this.#all.keys()]) this.disarm(id)
  }

  list(): FaultReport[] {
    return [...this.#all.values()].map((a) => ({ id: a.fault.id, hits: a.hits, matched: a.matched, spent: a.isSpent }))
  }

  /** A fault has hit so often in all nodes. */
  hitElsewhere(id: string, hits: number): void {
    this.#elsewhere.set(id, hits)
    // A clock has no occasions that would come by themselves.
    for (const armed of this.#families.clock)
      if (armed.fault.trigger.after?.fault === id && !armed.condition && armed.hits === 0) this.#notice(armed)
  }

  /** What a fault waits for has become true so often in nodes that own it. */
  owe(id: string, times: number): void {
    const armed = this.#all.get(id)
    armed?.owe(times)
    if (armed?.fault.family === 'clock') this.#notice(armed)
  }

  /** An occasion that `armed` matches. True when the fault is to act on it. Counted and told also when it only observes. */
  hit(armed: ArmedFault, occasion: EventFields): boolean {
    if (!armed.decide((id) => this.#hitsOf(id))) return false
    const { id, family, kind, observe } = armed.fault
    this.#events.emit('fault.hit', { fault: id, family, kind, hits: armed.hits, observed: observe, ...occasion })
    return !observe
  }

  /** Are any failpoints armed? Asked before `point`, so that a disarmed one costs nothing. */
  get pointsArmed(): boolean {
    return this.#families.point !== NONE && this.#families.point.length > 0
  }

  /** The code has come to a point that has a name. */
  point(name: PointName, occasion: EventFields): void {
    for (const armed of this.#families.point)
      if (armed.fault.where.point === name && this.hit(armed, { point: name, ...occasion })) this.onPoint(armed)
  }

  /** Is any condition armed? Asked before `onChanged` where things change all the time. */
  get conditionsArmed(): boolean {
    return this.#conditional.length > 0
  }

  /** Looks at what a node tells of its state, in the step that changed it. */
  onEvent(name: string, fields: EventFields): void {
    if (this.#conditional.length === 0) return
    for (const armed of this.#conditional) if (armed.observe(name, fields, this.vantage)) this.#cameTrue(armed)
  }

  /** The same for what is not told of, because it changes too often. */
  onChanged(kind: string): void {
    this.onEvent(kind, NOTHING)
  }

  #cameTrue(armed: ArmedFault): void {
    this.#events.emit('fault.condition', { fault: armed.fault.id, when: armed.fault.trigger.when! })
    if (armed.fault.family === 'watch' || armed.fault.family === 'clock') this.#notice(armed)
  }

  #notice(armed: ArmedFault): void {
    if (this.hit(armed, {})) this.onNotice(armed)
  }

  #hitsOf(id: string): number {
    return Math.max(this.#all.get(id)?.hits ?? 0, this.#elsewhere.get(id) ?? 0)
  }

  #sort(): void {
    const all = [...this.#all.values()].filter((a) => !this.#retired.has(a.fault.id))
    const of = (family: NodeFamily) => all.filter((a) => a.fault.family === family)
    this.#families = {
      protocol: of('protocol'),
      storage: of('storage'),
      // A clock that was set goes on so.
      clock: [...this.#all.values()].filter((a) => a.fault.family === 'clock'),
      point: of('point'),
      watch: of('watch'),
    }
    this.#conditional = all.filter((a) => a.condition !== undefined)
    this.onChange()
  }
}

/** Events as they are emitted, seen by the faults in the same step. */
export function watchedBy(events: EventSink, faults: ArmedFaults): EventSink {
  return {
    emit: (name, fields) => {
      events.emit(name, fields)
      faults.onEvent(name, fields)
    },
    changed: (kind) => faults.onChanged(kind),
  }
}
