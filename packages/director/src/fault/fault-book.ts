// All faults of a cluster: asked for, begun, hit, ended. Times to live are held here, outside of what the faults break.
import { Refusal } from '@faultline/base'
import type { NodeFault } from '@faultline/fault'
import type { ClusterEvent, ClusterEvents } from '../events/cluster-events.ts'
import type { Fleet } from '../fleet.ts'
import { FAMILIES } from './families/index.ts'
import type { Begun, FaultFamily, Kind } from './family.ts'
import type { FaultFile, SavedFault } from './fault-file.ts'
import { bad, type FaultRequest, parseFaultRequest } from './fault-request.ts'

export type FaultState = 'waiting' | 'armed' | 'spent' | 'healed' | 'expired'

export interface FaultView {
  readonly id: string
  readonly family: string
  readonly kind: string
  readonly state: FaultState
  readonly nodes: readonly string[]
  readonly hits: number
  /** The last hit's time and object. */
  readonly lastHit: Readonly<Record<string, unknown>> | null
  /** Null without a time to live, or when it is over. */
  readonly ttlLeftMs: number | null
  readonly request: FaultRequest
}

interface Entry {
  readonly id: string
  readonly request: FaultRequest
  readonly family: FaultFamily
  state: FaultState
  nodes: readonly string[]
  /** Undefined when nothing of it is left to undo. */
  begun: Begun | undefined
  hits: number
  /** Moments that it has acted on. */
  notices: number
  lastHit: Readonly<Record<string, unknown>> | null
  beginsAt: number | undefined
  endsAt: number | undefined
  /** Hits until then are counted already. */
  readonly toldUntil: number
  timer: NodeJS.Timeout | undefined
  /** What roles meant when it began. */
  readonly named: Map<string, string>
  readonly struck: Set<string>
}

/** Ended faults that are still listed. */
const KEPT_ENDED = 200

export class FaultBook {
  readonly #fleet: Fleet
  readonly #events: ClusterEvents
  readonly #file: FaultFile | undefined
  readonly #entries = new Map<string, Entry>()
  #next = 1

  /** With a `file`, what is armed outlives this process. */
  constructor(fleet: Fleet, events: ClusterEvents, file?: FaultFile) {
    this.#fleet = fleet
    this.#events = events
    this.#file = file
    events.listen(0, (event) => this.#observe(event))
  }

  async add(input: unknown): Promise<FaultView> {
    const request = parseFaultRequest(input)
    const family = familyOf(request)
    if (request.after && !this.#entries.has(request.after.fault))
      throw bad(`there is no fault ${request.after.fault} to come after`, 'see them with: npx faultline fault list')
    const id = `f${this.#next++}`
    const beginsAt = request.in === undefined ? undefined : Date.now() + request.in
    const fresh = { id, request, state: 'waiting', hits: 0, notices: 0, lastHit: null, beginsAt, endsAt: undefined } as const
    const entry = entryOf({ ...fresh, named: {}, struck: [] }, family)
    this.#entries.set(id, entry)
    if (beginsAt === undefined) await this.#beginOrForget(entry)
    else this.#beginLater(entry)
    this.#save()
    return view(entry)
  }

  /** What the last director held, with the time to live that is left of it. Before nodes are heard of. */
  async restore(): Promise<void> {
    const { next, faults } = this.#file?.read() ?? { next: 1, faults: [] }
    this.#next = next
    for (const saved of faults) {
      const entry = entryOf(saved, familyOf(saved.request))
      this.#entries.set(entry.id, entry)
      if (saved.state === 'waiting') this.#beginLater(entry)
      else await this.#beginOrForget(entry, true).catch((error: Error) => this.#notResumed(entry, error))
    }
  }

  #notResumed({ id }: Entry, { message }: Error): void {
    this.#events.emit('fault.end', { fault: id, state: 'healed', reason: message })
  }

  #beginLater(entry: Entry): void {
    const begin = () => void this.#begin(entry, false).catch(() => this.#end(entry, 'healed'))
    entry.timer = setTimeout(begin, Math.max(0, entry.beginsAt! - Date.now()))
  }

  /** Somebody holds it: a node that is armed with it is right. */
  isOpen(id: string): boolean {
    const entry = this.#entries.get(id)
    return entry !== undefined && isOpen(entry)
  }

  #save(): void {
    this.#file?.saveSoon(() => ({ next: this.#next, faults: [...this.#entries.values()].filter(isUndone).map(savedOf) }))
  }

  list(): FaultView[] {
    return [...this.#entries.values()].map(view)
  }

  get(id: string): FaultView {
    return view(this.#entry(id))
  }

  async heal(id: string): Promise<FaultView> {
    const entry = this.#entry(id)
    if (isUndone(entry)) await this.#end(entry, 'healed')
    return view(entry)
  }

  /** Every fault ends, and whatever a node may still be armed with. */
  async healAll(): Promise<number> {
    const open = [...this.#entries.values()].filter(isUndone)
    await Promise.all(open.map((entry) => this.#end(entry, 'healed')))
    await Promise.all(this.#fleet.nodes.map((n) => this.#fleet.manage(n.name, { verb: 'disarm-all' })))
    return open.length
  }

  /** What a node is to be armed with when it starts: less what its faults have done already. */
  armedFor(name: string): NodeFault[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const fault = entry.state === 'armed' ? entry.begun?.armed?.(name) : undefined
      if (!fault) return []
      return fault.count === null ? [fault] : [{ ...fault, count: fault.count - entry.hits }]
    })
  }

  async #beginOrForget(entry: Entry, again = false): Promise<void> {
    try {
      await this.#begin(entry, again)
    } catch (error) {
      this.#entries.delete(entry.id)
      throw error
    }
  }

  async #begin(entry: Entry, again: boolean): Promise<void> {
    const { id, request, family, named, struck } = entry
    if (request.ttl !== undefined) {
      entry.endsAt ??= Date.now() + request.ttl
      entry.timer = setTimeout(() => void this.#expire(entry), Math.max(0, entry.endsAt - Date.now()))
    }
    if (!again) entry.state = 'armed'
    this.#events.emit('fault.begin', { fault: id, family: request.family, kind: request.kind, ...(again && { again }) })
    let quiet = again
    const about = { fault: id, family: request.family, kind: request.kind }
    const hit = (fields: Readonly<Record<string, unknown>>) => {
      if (!quiet) this.#events.emit('fault.hit', { ...about, observed: false, ...fields })
    }
    const miss = (fields: Readonly<Record<string, unknown>>) => {
      entry.notices--
      this.#events.emit('fault.miss', { ...about, ...fields })
    }
    try {
      const name = (selector: string) => this.#named(named, selector)
      entry.begun = await family.begin(request, { id, fleet: this.#fleet, again, named: name, struck, hit, miss })
      quiet = false
    } catch (error) {
      clearTimeout(entry.timer)
      throw error
    }
  }

  async #named(named: Map<string, string>, selector: string): Promise<string> {
    const known = named.get(selector)
    if (known !== undefined) return known
    const { name } = await this.#fleet.resolve(selector)
    named.set(selector, name)
    return name
  }

  /** Nobody waits for it: what keeps it from being undone is told. */
  async #expire(entry: Entry): Promise<void> {
    await this.#end(entry, 'expired').catch(({ message }: Error) => {
      this.#events.emit('fault.not-healed', { fault: entry.id, reason: message })
    })
  }

  async #end(entry: Entry, state: 'healed' | 'expired' | 'spent'): Promise<void> {
    clearTimeout(entry.timer)
    entry.state = state
    entry.endsAt = undefined
    const { begun } = entry
    entry.begun = undefined
    entry.nodes = begun?.nodes ?? []
    this.#save()
    await begun?.heal().catch((error: unknown) => {
      // Still to be undone: by the next who asks.
      entry.begun = begun
      throw error
    })
    this.#events.emit('fault.end', { fault: entry.id, state })
    this.#forgetOld()
  }

  #observe(event: ClusterEvent): void {
    if (event.event !== 'fault.hit') return
    const entry = this.#entries.get(String(event['fault']))
    if (!entry) return
    // A node tells a director that was started again everything once more.
    if (event.t <= entry.toldUntil) return
    if (event['family'] === 'watch') return this.#noticed(entry, event.node)
    entry.hits++
    entry.lastHit = event
    this.#save()
    this.#tellFollowers(entry)
    const { count } = entry.request
    if (count === undefined || entry.hits < count || entry.state !== 'armed') return
    const { disarm } = entry.begun ?? {}
    if (!disarm) return void this.#end(entry, 'spent')
    // A process that was killed stays so until that is healed.
    entry.state = 'spent'
    void disarm()
  }

  /** `node` is undefined when it is another fault's hit that was waited for. */
  #noticed(entry: Entry, node: string | undefined): void {
    const { count } = entry.request
    if (count !== undefined && entry.notices >= count) {
      if (node !== undefined) void this.#fleet.manage(node, { verb: 'release' })
      return
    }
    entry.notices++
    entry.begun?.onNotice?.(node)
  }

  /** Faults that come after this one may be armed in other nodes. */
  #tellFollowers({ id, hits }: Entry): void {
    for (const other of this.#entries.values()) {
      if (other.request.after?.fault !== id || !isOpen(other)) continue
      for (const name of other.begun?.nodes ?? []) void this.#fleet.manage(name, { verb: 'hit-elsewhere', id, hits })
      if (isDue(other, hits)) this.#noticed(other, undefined)
    }
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry) return entry
    const known = [...this.#entries.keys()].join(', ')
    throw new Refusal('UNKNOWN_FAULT', `there is no fault ${id}`, known ? `there are ${known}` : 'there are none now')
  }

  #forgetOld(): void {
    const ended = [...this.#entries.values()].filter((entry) => !isUndone(entry))
    for (const { id } of ended.slice(0, Math.max(0, ended.length - KEPT_ENDED))) this.#entries.delete(id)
  }
}

/** Something of it is left to undo, or it is still to begin. */
function isUndone({ state, begun }: Entry): boolean {
  return begun !== undefined || state === 'waiting'
}

/** Those of processes happen in no node that could wait itself; with a condition they are told of the moment by who watches it. */
function isDue({ family, request: { after, when }, notices }: Entry, hits: number): boolean {
  return family.family === 'process' && when === undefined && notices === 0 && hits >= after!.hits
}

function isOpen({ state }: Entry): boolean {
  return state === 'armed' || state === 'waiting'
}

function familyOf({ family, kind, with: given }: FaultRequest): FaultFamily {
  const found = FAMILIES.find((f) => f.family === family)
  if (!found) throw bad(`${family} faults cannot be had in this world`)
  const known = found.kinds.find((k) => k.kind === kind)
  if (!known) throw bad(`${family} has no kind "${kind}", but ${found.kinds.map((k) => k.kind).join(', ')}`)
  checkParameters(family, known, given)
  return found
}

function checkParameters(family: string, { kind, parameters }: Kind, given: FaultRequest['with']): void {
  for (const [name, value] of Object.entries(given)) {
    const parameter = parameters.find((p) => p.name === name)
    const names = parameters.map((p) => p.name).join(', ') || 'none'
    if (!parameter) throw bad(`${family} ${kind} has no parameter "${name}"; it has ${names}`)
    if (parameter.oneOf && !parameter.oneOf.includes(String(value)))
      throw bad(`${name}=${value} is none of ${parameter.oneOf.join(', ')}`)
    if (typeof parameter.default === 'number' && !Number.isFinite(Number(value))) throw bad(`${name}=${value} is no number`)
  }
}

function entryOf({ named, struck, ...saved }: SavedFault, family: FaultFamily): Entry {
  const toldUntil = Number(saved.lastHit?.['t'] ?? 0)
  const kept = { named: new Map(Object.entries(named)), struck: new Set(struck) }
  return { ...saved, ...kept, family, nodes: [], begun: undefined, timer: undefined, toldUntil }
}

function savedOf({ id, request, state, hits, notices, lastHit, beginsAt, endsAt, named, struck }: Entry): SavedFault {
  const undone = state as SavedFault['state']
  const kept = { named: Object.fromEntries(named), struck: [...struck] }
  return { id, request, state: undone, hits, notices, lastHit, beginsAt, endsAt, ...kept }
}

function view(entry: Entry): FaultView {
  const { id, request, state, begun, nodes, hits, lastHit, endsAt } = entry
  return {
    id,
    family: request.family,
    kind: request.kind,
    state,
    nodes: begun?.nodes ?? nodes,
    hits,
    lastHit,
    ttlLeftMs: endsAt === undefined ? null : Math.max(0, endsAt - Date.now()),
    request,
  }
}
