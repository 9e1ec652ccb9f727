// All faults of a cluster: asked for, begun, hit, ended. Times to live are held here, outside of what the faults break.
import { Refusal } from '@faultline/base'
import type { FaultReport, NodeFault } from '@faultline/fault'
import type { ClusterEvent, ClusterEvents } from '../events/cluster-events.ts'
import type { Fleet } from '../fleet.ts'
import { checkRequest } from './check-request.ts'
import type { BeginContext, Claim } from './family.ts'
import { bad, parseFaultRequest } from './fault-request.ts'
import {
  type Entry,
  type FaultView,
  isOpen,
  isOver,
  isUndone,
  limitOf,
  newEntry,
  restoredEntry,
  savedOf,
  viewOf,
} from './fault-entry.ts'
import type { FaultFile } from './fault-file.ts'

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
    const family = checkRequest(request, this.#fleet)
    family.checkWorld?.(request, this.#fleet)
    if (request.after && !this.#entries.has(request.after.fault))
      throw bad(`there is no fault ${request.after.fault} to come after`, 'see them with: npx faultline fault list')
    const entry = newEntry(`f${this.#next++}`, request, family)
    this.#entries.set(entry.id, entry)
    if (entry.beginsAt === undefined) await this.#beginOrForget(entry)
    else this.#beginInTime(entry)
    this.#save()
    return viewOf(entry)
  }

  /** What the last director held, with the time to live that is left of it. Before nodes are heard of. */
  async restore(): Promise<void> {
    const { next, faults } = this.#file?.read() ?? { next: 1, faults: [] }
    this.#next = next
    for (const saved of faults) {
      const entry = restoredEntry(saved, checkRequest(saved.request, this.#fleet))
      this.#entries.set(entry.id, entry)
      if (saved.state === 'waiting') this.#beginInTime(entry)
      else await this.#begin(entry, true).catch((error: Error) => this.#fail(entry, error))
    }
  }

  #beginInTime(entry: Entry): void {
    entry.timer = setTimeout(() => void this.#beginLater(entry), Math.max(0, (entry.beginsAt ?? 0) - Date.now()))
  }

  /** Somebody holds it: a node that is armed with it is right. */
  isOpen(id: string): boolean {
    const entry = this.#entries.get(id)
    return entry !== undefined && isOpen(entry)
  }

  #save(): void {
    this.#file?.saveSoon(() => ({ next: this.#next, faults: [...this.#entries.values()].filter(isUndone).map(savedOf) }))
  }

  /** With how many occasions each has met in the nodes that run. */
  async list(): Promise<FaultView[]> {
    const names = new Set([...this.#entries.values()].filter(isOpen).flatMap((e) => e.begun?.nodes ?? []))
    const reports = await Promise.all([...names].map((name) => this.#fleet.manage<FaultReport[]>(name, { verb: 'faults' })))
    for (const entry of this.#entries.values()) {
      if (!entry.begun?.armed || entry.state !== 'armed') continue
      const own = reports.flatMap((report) => report?.filter((r) => r.id === entry.id) ?? [])
      entry.matched = own.reduce((sum, r) => sum + r.matched, 0)
    }
    return [...this.#entries.values()].map(viewOf)
  }

  get(id: string): FaultView {
    return viewOf(this.#entry(id))
  }

  async heal(id: string): Promise<FaultView> {
    const entry = this.#entry(id)
    if (isUndone(entry)) await this.#end(entry, 'healed')
    return viewOf(entry)
  }

  /** Every fault ends, and whatever a node may still be armed with; then it is told what could not be undone. */
  async healAll(): Promise<number> {
    const open = [...this.#entries.values()].filter(isUndone)
    const ends = await Promise.allSettled(open.map((entry) => this.#end(entry, 'healed')))
    await Promise.all(this.#fleet.nodes.map((n) => this.#fleet.manage(n.name, { verb: 'disarm-all' })))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    return open.length
  }

  /** What a node is to be armed with when it starts. What it was to wait for, and has come, it need not be told. */
  armedFor(name: string): NodeFault[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const fault = entry.state === 'armed' ? entry.begun?.armed?.(name) : undefined
      if (!fault) return []
      if (!this.#hasCome(entry)) return [fault]
      const { after: _, ...trigger } = fault.trigger
      return [{ ...fault, trigger }]
    })
  }

  /** What `entry` was to come after has hit often enough, if there is such a thing. */
  #hasCome({ request: { after } }: Entry): boolean {
    return after === undefined || (this.#entries.get(after.fault)?.hits ?? 0) >= after.hits
  }

  async #beginOrForget(entry: Entry): Promise<void> {
    try {
      await this.#begin(entry)
    } catch (error) {
      this.#entries.delete(entry.id)
      this.#events.emit('fault.end', { fault: entry.id, state: 'refused' })
      throw error
    }
  }

  /** Nobody waits for it any more: what is wrong is told as an event. */
  async #beginLater(entry: Entry): Promise<void> {
    try {
      await this.#begin(entry)
    } catch (error) {
      await this.#fail(entry, error as Error)
    }
    this.#save()
  }

  async #fail(entry: Entry, { message }: Error): Promise<void> {
    this.#events.emit('fault.miss', { ...aboutOf(entry), reason: message })
    await this.#end(entry, 'failed')
  }

  async #begin(entry: Entry, again = false): Promise<void> {
    if (entry.family.beginsAfter && !this.#hasCome(entry)) {
      entry.isDue = false
      return
    }
    const { request, family } = entry
    const { ttl } = request
    if (!again) entry.state = 'armed'
    this.#events.emit('fault.begin', { ...aboutOf(entry), ...(again && { again }) })
    if (ttl !== undefined) {
      entry.endsAt ??= Date.now() + ttl
      entry.timer = setTimeout(() => void this.#expire(entry), Math.max(0, entry.endsAt - Date.now()))
    }
    try {
      const begun = await family.begin(request, this.#contextOf(entry, again))
      // It was healed, or its time was over, before it had begun.
      if (isOver(entry)) return void (await begun.heal())
      entry.begun = begun
      for (const node of entry.early.splice(0)) this.#noticed(entry, node)
    } catch (error) {
      clearTimeout(entry.timer)
      throw error
    }
    this.#retireSpent(entry)
    const { after } = request
    const before = after && this.#entries.get(after.fault)
    if (before && before.hits > 0) this.#tellFollower(entry, before)
  }

  #contextOf(entry: Entry, again: boolean): BeginContext {
    const emit = (name: string, fields: object) => this.#events.emit(name, { ...aboutOf(entry), ...fields })
    return {
      id: entry.id,
      fleet: this.#fleet,
      again,
      named: (selector) => this.#named(entry, selector),
      struck: entry.struck,
      claim: (things, how) => this.#claim(entry, things, how),
      hit: (fields) => {
        // What it does again when the director is started again has been told.
        if (!again || entry.begun) emit('fault.hit', { observed: entry.request.observe, ...fields })
      },
      progress: (fields) => emit('fault.progress', fields),
      miss: (fields) => {
        entry.notices--
        emit('fault.miss', fields)
      },
      over: () => {
        if (entry.state === 'armed') void this.#end(entry, 'spent')
      },
    }
  }

  async #named({ named }: Entry, selector: string): Promise<string> {
    const known = named.get(selector)
    if (known !== undefined) return known
    const { name } = await this.#fleet.resolve(selector)
    named.set(selector, name)
    return name
  }

  #claim(entry: Entry, things: readonly string[], how: Claim): void {
    for (const other of this.#entries.values()) {
      if (other === entry || !isUndone(other)) continue
      const thing = things.find((t) => other.claims.has(t) && (how === 'exclusive' || other.claims.get(t) === 'exclusive'))
      if (thing === undefined) continue
      const { family, kind } = other.request
      throw bad(
        `${entry.request.kind} contradicts ${other.id} (${family} ${kind}), which has ${thing} already`,
        `heal it first: npx faultline fault heal ${other.id}`,
      )
    }
    for (const thing of things) entry.claims.set(thing, how)
  }

  /** Nobody waits for it: what keeps it from being undone is told. */
  async #expire(entry: Entry): Promise<void> {
    await this.#end(entry, 'expired').catch(({ message }: Error) => {
      this.#events.emit('fault.not-healed', { fault: entry.id, reason: message })
    })
  }

  async #end(entry: Entry, state: 'healed' | 'expired' | 'spent' | 'failed'): Promise<void> {
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
    entry.claims.clear()
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
    this.#retireSpent(entry)
  }

  #retireSpent(entry: Entry): void {
    const { begun, request, hits, state } = entry
    if (!begun || state !== 'armed' || hits < limitOf(request)) return
    if (!begun.lasts) return void this.#end(entry, 'spent')
    // A process that was killed stays so until that is healed.
    entry.state = 'spent'
    void begun.retire?.()
  }

  /** `node` is undefined when it is another fault's hit that was waited for. */
  #noticed(entry: Entry, node: string | undefined): void {
    const { begun, state, request } = entry
    if (!begun && state === 'armed' && node !== undefined) return void entry.early.push(node)
    if (!begun || (begun.actsHere && entry.notices >= limitOf(request))) {
      if (node !== undefined) void this.#fleet.manage(node, { verb: 'release' })
      return
    }
    entry.notices++
    begun.onNotice?.(node)
  }

  /** Faults that come after this one may be armed in other nodes. */
  #tellFollowers(entry: Entry): void {
    for (const other of this.#entries.values())
      if (other.request.after?.fault === entry.id && isOpen(other)) this.#tellFollower(other, entry)
  }

  #tellFollower(follower: Entry, { id, hits }: Entry): void {
    if (!follower.isDue && this.#hasCome(follower)) {
      follower.isDue = true
      return void this.#beginLater(follower)
    }
    for (const name of follower.begun?.nodes ?? []) void this.#fleet.manage(name, { verb: 'hit-elsewhere', id, hits })
    if (happensAtOnce(follower) && this.#hasCome(follower)) this.#noticed(follower, undefined)
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

function aboutOf({ id, request: { family, kind } }: Entry) {
  return { fault: id, family, kind }
}

/** Those of processes happen in no node that could wait itself; with a condition they are told of the moment by who watches it. */
function happensAtOnce({ begun, request: { when }, notices }: Entry): boolean {
  return begun?.actsHere === true && when === undefined && notices === 0
}
