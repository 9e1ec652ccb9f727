// Members of a group who do everything, in any order, with failovers and a log that refuses: and a checker of what they are told.
import { Prng } from '@faultline/base'
import type { joinGroup, ResponseInput } from '@faultline/protocol'
import type { GroupCoordinator } from '../src/group/group-coordinator.ts'
import { settle, TestLog, World } from './support.ts'

type Joined = ResponseInput<typeof joinGroup>

const SESSION_MS = 10_000
/** Answers to a member that was heard: 15 may be said when what it asked for could not be written. */
const HEARD = [0, 15, 27]
const JOIN = { sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: 60_000 }

/** One client. What it once was it may still believe to be. */
interface Actor {
  readonly instance: string | null
  id: string
  generation: number
  /** Of its generation, when it leads it. */
  members: string[] | undefined
  synced: boolean
  waiting: boolean
  past: { id: string; generation: number }[]
}

export interface WorkloadOptions {
  readonly seed: number
  readonly steps: number
  readonly Coordinator?: typeof GroupCoordinator
  /** After each step, when everything has been heard. */
  readonly afterStep?: (world: World) => Promise<void>
}

export class Workload {
  readonly world: World
  readonly violations: string[] = []
  /** How often each thing happened, so that a run that did nothing is not taken for a good one. */
  readonly counts: Record<string, number> = {}
  readonly #o: WorkloadOptions
  readonly #random: Prng
  readonly #actors: Actor[]
  /** By epoch and generation: who was in it, as its leader was told. */
  readonly #generations = new Map<string, string>()
  #highest = 0
  #nextOffset = 1
  #acknowledged = -1
  #loadedAt = 0
  /** When a member was last heard of, or told something that begins its session anew. */
  readonly #heard = new Map<string, number>()
  /** Members who were told that all is well, in this epoch, and since then have not left or been replaced. */
  readonly #well = new Map<string, number>()

  constructor(options: WorkloadOptions) {
    this.#o = options
    this.#random = new Prng(options.seed)
    this.world = new World([], {}, options.Coordinator)
    const instances = [null, null, null, 'i', 'j']
    this.#actors = instances.map((instance) => ({
      instance,
      id: '',
      generation: -1,
      members: undefined,
      synced: false,
      waiting: false,
      past: [],
    }))
  }

  async run(): Promise<this> {
    for (let i = 0; i < this.#o.steps && this.violations.length === 0; i++) {
      await this.#step()
      await settle()
      await this.#checkSessions()
      await this.#o.afterStep?.(this.world)
    }
    return this
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  get #now(): number {
    return this.world.clock.wall()
  }

  async #step(): Promise<void> {
    const actor = this.#actors[this.#random.below(this.#actors.length)]!
    const roll = this.#random.below(100)
    if (roll < 30) return this.#advanceClient(actor)
    if (roll < 42) return this.#beatAll()
    if (roll < 56) return this.#commit(actor, actor)
    if (roll < 62) return this.#commit(actor, actor.past[this.#random.below(actor.past.length || 1)] ?? actor)
    if (roll < 70) return this.#fetch()
    if (roll < 72) return this.#leave(actor)
    if (roll < 75) return this.#restart(actor)
    if (roll < 91) return this.world.clock.advance(this.#random.below(4000))
    if (roll < 93) return this.world.clock.advance(SESSION_MS + 1)
    if (roll < 96) return this.world.log.disturb(this.#random)
    if (roll < 98) return this.#failOver()
    return this.world.log.heal()
  }

  /** What a client would do next: join, or sync. */
  #advanceClient(actor: Actor): void {
    if (actor.waiting) return
    if (actor.generation < 0 || this.#random.below(6) === 0) this.#join(actor)
    else if (!actor.synced) this.#sync(actor)
  }

  #join(actor: Actor): void {
    const { id } = actor
    const epoch = this.world.epoch
    actor.waiting = true
    if (id !== '') this.#heard.set(id, Number.POSITIVE_INFINITY)
    void this.world.join(id, { ...JOIN, groupInstanceId: actor.instance }).then((answer) => {
      actor.waiting = false
      this.#count(`join ${answer.errorCode}`)
      if (answer.errorCode === 0) return this.#joined(actor, id, answer, epoch)
      if (id !== '') this.#heard.set(id, this.#now)
      if (answer.errorCode === 79) actor.id = answer.memberId!
      else if (answer.errorCode === 25 || answer.errorCode === 82) this.#forget(actor)
    })
  }

  #joined(actor: Actor, askedAs: string, answer: Joined, epoch: number): void {
    const generation = answer.generationId!
    if (actor.id !== answer.memberId || actor.generation !== generation)
      actor.past.push({ id: actor.id, generation: actor.generation })
    if (askedAs === '' && actor.instance !== null) for (const p of actor.past) this.#well.delete(p.id)
    actor.id = answer.memberId!
    actor.generation = generation
    actor.members = answer.leader === actor.id && !answer.skipAssignment ? answer.members!.map((m) => m.memberId!) : undefined
    actor.synced = false
    this.#heard.set(actor.id, this.#now)
    this.#highest = Math.max(this.#highest, generation)
    if (!actor.members) return
    const key = `${epoch}/${generation}`
    const members = [...actor.members].sort().join()
    const before = this.#generations.get(key)
    if (before !== undefined && before !== members)
      this.violations.push(`generation ${generation} had members ${before}, and then ${members}`)
    this.#generations.set(key, members)
  }

  #sync(actor: Actor): void {
    const { id, generation } = actor
    const assignments = Object.fromEntries((actor.members ?? []).map((m) => [m, `for ${m} in ${generation}`]))
    const at = this.#now
    actor.waiting = true
    this.#heard.set(id, Number.POSITIVE_INFINITY)
    void this.world.sync(id, generation, assignments, { groupInstanceId: actor.instance }).then((answer) => {
      actor.waiting = false
      this.#count(`sync ${answer.errorCode}`)
      this.#heard.set(id, this.#now)
      if (answer.errorCode === 0) {
        actor.synced = true
        this.#well.set(id, at)
      } else if (answer.errorCode === 25 || answer.errorCode === 82) this.#forget(actor)
      else if (answer.errorCode === 22 || answer.errorCode === 27) actor.generation = -1
    })
  }

  #beatAll(): void {
    for (const actor of this.#actors) if (this.#random.below(5) > 0) this.#beat(actor)
  }

  #beat(actor: Actor): void {
    const { id, generation } = actor
    if (id === '' || actor.waiting) return
    const well = this.#well.get(id)
    if (!this.#heard.has(id)) return
    const at = this.#now
    void this.world.beat(id, generation, actor.instance).then((error) => {
      this.#count(`heartbeat ${error}`)
      if (HEARD.includes(error)) this.#heard.set(id, Math.max(at, this.#heard.get(id) ?? 0))
      if (error === 0 && actor.synced) this.#well.set(id, at)
      else this.#well.delete(id)
      if (error === 25 && well !== undefined && at - well < SESSION_MS)
        this.violations.push(`${id} was well ${at - well} ms ago and is unknown now`)
      if (error === 25 || error === 82) this.#forget(actor)
      if (error === 22 || error === 27) actor.generation = -1
    })
  }

  /** As `who` it is, or was. */
  #commit(actor: Actor, who: { id: string; generation: number }): void {
    const { id, generation } = who
    if (generation < 0) return
    const offset = this.#nextOffset++
    const highest = this.#highest
    const at = this.#now
    void this.world.commitError(id, generation, offset, { groupInstanceId: actor.instance }).then((error) => {
      this.#count(`commit ${error}`)
      if (HEARD.includes(error)) this.#heard.set(id, Math.max(at, this.#heard.get(id) ?? 0))
      if (error !== 0) return
      this.#acknowledged = Math.max(this.#acknowledged, offset)
      if (generation < highest) this.violations.push(`a commit of generation ${generation} after ${highest} was known`)
    })
  }

  #fetch(): void {
    const acknowledged = this.#acknowledged
    void this.world.fetch().then(({ groups }) => {
      const group = groups![0]!
      if (group.errorCode !== 0) return
      this.#count('fetch 0')
      const offset = group.topics![0]?.partitions![0]!.committedOffset ?? -1
      if (offset < acknowledged) this.violations.push(`offset ${offset} was read after ${acknowledged} was acknowledged`)
    })
  }

  #leave(actor: Actor): void {
    if (actor.id === '' || actor.waiting) return
    this.#well.delete(actor.id)
    void this.world.leave([{ memberId: actor.id, groupInstanceId: actor.instance }])
    this.#forget(actor)
  }

  /** The client begins anew, and only a static one is known. */
  #restart(actor: Actor): void {
    if (!actor.waiting) this.#forget(actor)
  }

  #forget(actor: Actor): void {
    if (actor.id !== '') actor.past.push({ id: actor.id, generation: actor.generation })
    this.#well.delete(actor.id)
    Object.assign(actor, { id: '', generation: -1, members: undefined, synced: false })
  }

  /** The new leader has what was committed, and perhaps more. */
  async #failOver(): Promise<void> {
    const { records, highWatermark } = this.world.log
    const kept = highWatermark + this.#random.below(records.length - highWatermark + 1)
    this.#count(kept < records.length ? 'records lost' : 'failover')
    this.world.elect(new TestLog(records.slice(0, kept)))
    this.world.clock.advance(0)
    this.#highest = 0
    this.#well.clear()
    this.#loadedAt = this.#now
    await settle()
    for (const actor of this.#actors) actor.waiting = false
  }

  /** Nobody is in a stable group who was silent for a whole session. */
  async #checkSessions(): Promise<void> {
    if (this.world.log.highWatermark < this.world.log.endOffset) return
    const { groupState, members } = await this.world.describe()
    if (groupState !== 'Stable') return
    for (const { memberId } of members!) {
      // The answer that told its id may have been lost.
      if (!this.#heard.has(memberId!)) this.#heard.set(memberId!, this.#now)
      const since = Math.max(this.#loadedAt, this.#heard.get(memberId!)!)
      if (this.#now - since > SESSION_MS + 1)
        this.violations.push(`${memberId} is in the group although it was silent for ${this.#now - since} ms`)
    }
  }
}
