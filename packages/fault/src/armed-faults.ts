// The faults that are armed in one node. Disarmed, it costs a look at an empty list.
import type { EventFields, EventSink } from '@faultline/base'
import { ArmedFault } from './armed-fault.ts'
import type { Fields } from './condition/condition.ts'
import type { NodeFamily, NodeFault } from './node-fault.ts'
import type { PointName } from './points.ts'

const NONE: readonly ArmedFault[] = []

export interface FaultReport {
  readonly id: string
  readonly hits: number
  readonly spent: boolean
}

/** How an object that conditions speak of stands now; undefined when it is not here. */
export type Vantage = (subject: string, key: string) => Fields | undefined

export class ArmedFaults {
  readonly #events: EventSink
  readonly #all = new Map<string, ArmedFault>()
  /** Hits in other nodes, for faults that wait for those. */
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

  constructor(events: EventSink) {
    this.#events = events
  }

  /** Those that may act on occasions of this family. */
  of(family: NodeFamily): readonly ArmedFault[] {
    return this.#families[family]
  }

  /** Throws ConditionError. A fault of the same id is replaced. */
  arm(fault: NodeFault): void {
    const armed = new ArmedFault(fault)
    this.disarm(fault.id)
    this.#all.set(fault.id, armed)
    this.#sort()
    const [first] = armed.condition ?? []
    if (first && armed.begin(this.vantage(first.subject, first.key))) this.#cameTrue(armed)
    else if (!first && fault.family === 'clock') this.#notice(armed)
  }

  disarm(id: string): boolean {
    const armed = this.#all.get(id)
    if (!armed) return false
    this.#all.delete(id)
    this.#sort()
    armed.disarm()
    return true
  }

  disarmAll(): void {
    for (const id of [...this.#all.keys()]) this.disarm(id)
  }

  list(): FaultReport[] {
    return [...this.#all.values()].map((a) => ({ id: a.fault.id, hits: a.hits, spent: a.isSpent }))
  }

  /** A fault has hit so often in other nodes. */
  hitElsewhere(id: string, hits: number): void {
    this.#elsewhere.set(id, hits)
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

  /** Looks at what a node tells of its state, in the step that changed it. */
  onEvent(name: string, fields: EventFields): void {
    if (this.#conditional.length === 0) return
    for (const armed of this.#conditional) if (armed.observe(name, fields)) this.#cameTrue(armed)
  }

  #cameTrue(armed: ArmedFault): void {
    this.#events.emit('fault.condition', { fault: armed.fault.id, when: armed.fault.trigger.when! })
    if (armed.fault.family === 'watch' || armed.fault.family === 'clock') this.#notice(armed)
  }

  #notice(armed: ArmedFault): void {
    if (this.hit(armed, {})) this.onNotice(armed)
  }

  #hitsOf(id: string): number {
    return (this.#all.get(id)?.hits ?? 0) + (this.#elsewhere.get(id) ?? 0)
  }

  #sort(): void {
    const all = [...this.#all.values()]
    const of = (family: NodeFamily) => all.filter((a) => a.fault.family === family)
    this.#families = {
      protocol: of('protocol'),
      storage: of('storage'),
      clock: of('clock'),
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
  }
}
