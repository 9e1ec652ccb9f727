// Members of a consumer group who do everything, in any order, with failovers, topics that grow and a log that refuses: and a checker of
// what they are told. It knows only requests and answers.
import { Prng } from '@faultline/base'
import { decodeAssignment, encodeSubscription } from '@faultline/protocol'
import type { GroupCoordinator } from '../../src/group/group-coordinator.ts'
import { settle, TestLog } from '../support.ts'
import { type Beaten, ConsumerWorld } from './support.ts'

const SESSION_MS = 10_000
const REBALANCE_MS = 8000
/** Silence and slowness are noticed at a heartbeat of somebody, or after a second where the log refused it. */
const SLACK_MS = 1001
const NEVER = Number.NEGATIVE_INFINITY

/** One client, and what it believes. */
interface Actor {
  readonly instance: string | null
  readonly speaksClassic: boolean
  /** Never gives anything up: it must be fenced for that. */
  readonly isHoarder: boolean
  id: string
  /** 0 before it has joined. */
  epoch: number
  subscription: { subscribedTopicNames: string[]; subscribedTopicRegex: string }
  readonly owned: Set<string>
  /** Of what it owns: what it has been told to give up. */
  readonly revoking: Set<string>
  /** When it was told so, until an answer to a request that says that it has. */
  revokingSince: number | undefined
  /** When it was last told what to give up, while it still has it. */
  stuckSince: number | undefined
  /** Since when an answer is missing: what that said of things to give up counts from then on. */
  unsureSince: number | undefined
  waiting: boolean
  /** When it sent the last request that was answered well. */
  lastWell: number
  /** What it once was it may still believe to be. */
  past: { id: string; epoch: number; owned: string[] }[]
}

export interface WorkloadOptions {
  readonly seed: number
  readonly steps: number
  readonly Coordinator?: typeof GroupCoordinator
  readonly afterStep?: (world: ConsumerWorld) => Promise<void>
}

const SUBSCRIPTIONS = [
  { subscribedTopicNames: ['orders'], subscribedTopicRegex: '' },
  { subscribedTopicNames: ['orders', 'payments'], subscribedTopicRegex: '' },
  { subscribedTopicNames: [], subscribedTopicRegex: 'o.*|pay.*' },
]

export class ConsumerWorkload {
  readonly world: ConsumerWorld
  readonly violations: string[] = []
  readonly counts: Record<string, number> = {}
  readonly #o: WorkloadOptions
  readonly #random: Prng
  readonly #actors: Actor[]
  readonly #heard = new Map<string, number>()
  /** Who was given a partition last, and when. */
  readonly #givenTo = new Map<string, { actor: Actor; id: string }>()
  #nextId = 0
  #loadedAt = 0
  /** Since when the log takes everything. */
  #healedAt = NEVER
  #nextOffset = 1

  constructor(options: WorkloadOptions) {
    this.#o = options
    this.#random = new Prng(options.seed)
    const config = { sessionTimeoutMs: () => SESSION_MS, assignmentIntervalMs: () => 500, migrationPolicy: 'upgrade' }
    this.world = new ConsumerWorld([], config, {}, options.Coordinator)
    const kinds = [{}, {}, {}, { instance: 'i' }, { instance: 'j' }, { isHoarder: true }, { speaksClassic: true }]
    this.#actors = kinds.map((kind) => ({
      instance: null,
      speaksClassic: false,
      isHoarder: false,
      id: '',
      epoch: 0,
      subscription: SUBSCRIPTIONS[0]!,
      owned: new Set<string>(),
      revoking: new Set<string>(),
      revokingSince: undefined,
      stuckSince: undefined,
      unsureSince: undefined,
      waiting: false,
      lastWell: NEVER,
      past: [],
      ...kind,
    }))
  }

  async run(): Promise<this> {
    for (let i = 0; i < this.#o.steps && this.violations.length === 0; i++) {
      await this.#step()
      await settle()
      await this.#checkMembers()
      await this.#o.afterStep?.(this.world)
    }
    if (this.violations.length === 0) await this.#comeToRest()
    return this
  }

  get #now(): number {
    return this.world.clock.wall()
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  async #step(): Promise<void> {
    const actor = this.#actors[this.#random.below(this.#actors.length)]!
    const roll = this.#random.below(100)
    if (roll < 40) return this.#beat(actor)
    if (roll < 55) return this.#finishRevoking(actor)
    if (roll < 60) return this.#commit(actor, actor)
    if (roll < 72) return this.#commit(actor, this.#formerly(actor))
    if (roll < 74) return this.#beatAsBefore(actor)
    if (roll < 76) return this.#leave(actor)
    if (roll < 78) return this.#restart(actor)
    if (roll < 81) return this.#subscribe(actor)
    if (roll < 82) return this.#growTopic()
    if (roll < 92) return this.world.clock.advance(this.#random.below(2500))
    if (roll < 93) return this.world.clock.advance(SESSION_MS + SLACK_MS)
    if (roll < 96) return this.world.log.disturb(this.#random)
    if (roll < 97) return this.#failOver()
    return this.#heal()
  }

  #beat(actor: Actor): void {
    if (actor.waiting) return
    if (actor.speaksClassic) return this.#rejoinClassic(actor)
    const joins = actor.epoch === 0
    if (joins) {
      actor.id = `m${this.#nextId++}`
      this.#let(actor, [])
    }
    // After a request that was not answered well a client says everything.
    const saysAll = joins || actor.unsureSince !== undefined || this.#random.below(8) === 0
    const saysOwned = saysAll || this.#random.below(2) === 0
    const request = {
      instanceId: actor.instance,
      ...(saysAll ? { rebalanceTimeoutMs: REBALANCE_MS, ...actor.subscription } : {}),
      topicPartitions: saysOwned ? byTopic(actor.owned) : null,
    }
    const { id, epoch } = actor
    const at = this.#now
    const hasRevoked = saysOwned && actor.revoking.size === 0
    actor.waiting = true
    void this.world.heartbeat(id, epoch, request).then((answer) => {
      if (actor.id !== id) return
      actor.waiting = false
      if (answer.errorCode === 0 && hasRevoked) actor.revokingSince = undefined
      this.#answered(actor, epoch, at, answer)
    })
  }

  #answered(actor: Actor, epoch: number, at: number, answer: Beaten): void {
    const error = answer.errorCode!
    this.#count(`heartbeat ${error}`)
    if (error === 15) actor.unsureSince ??= at
    if (error === 15 || error === 111) return this.#hear(actor.id, this.#now)
    if (error !== 0) {
      if (error === 25 && this.#isEntitled(actor))
        this.violations.push(`${actor.id} was well ${this.#now - actor.lastWell} ms ago and is unknown now`)
      return this.#forget(actor)
    }
    if (answer.memberEpoch! < epoch) this.violations.push(`${actor.id} was in epoch ${epoch} and is in ${answer.memberEpoch} now`)
    if (answer.memberEpoch !== epoch) actor.past.push({ id: actor.id, epoch, owned: [...actor.owned] })
    actor.epoch = answer.memberEpoch!
    this.#well(actor, at)
    if (answer.assignment)
      this.#give(
        actor,
        at,
        answer.assignment.topicPartitions!.flatMap((t) => t.partitions!.map((p) => `${t.topicId}/${p}`)),
      )
  }

  #well(actor: Actor, at: number): void {
    actor.lastWell = at
    this.#hear(actor.id, at)
  }

  #hear(id: string, at: number): void {
    this.#heard.set(id, Math.max(at, this.#heard.get(id) ?? NEVER))
  }

  /** It may use what is new at once; what is gone it has until it says that it has not. */
  #give(actor: Actor, at: number, assignment: readonly string[]): void {
    for (const partition of assignment) {
      if (actor.owned.has(partition)) continue
      const other = this.#actors.find((a) => a !== actor && a.owned.has(partition) && this.#isEntitled(a))
      if (other) this.violations.push(`${partition} was given to ${actor.id} while ${other.id} had it`)
      actor.owned.add(partition)
      this.#givenTo.set(partition, { actor, id: actor.id })
    }
    actor.revoking.clear()
    for (const partition of actor.owned) if (!assignment.includes(partition)) actor.revoking.add(partition)
    actor.stuckSince = actor.revoking.size > 0 ? this.#now : undefined
    if (actor.revoking.size > 0) actor.revokingSince ??= actor.unsureSince ?? at
    actor.unsureSince = undefined
  }

  /** Nobody may take anything from it: it was heard of in time, and is not slow to give up what it must. */
  #isEntitled(actor: Actor): boolean {
    if (this.#now - actor.lastWell >= SESSION_MS) return false
    const since = actor.revokingSince ?? actor.unsureSince
    return since === undefined || this.#now - since < REBALANCE_MS
  }

  #finishRevoking(actor: Actor): void {
    if (actor.isHoarder || actor.waiting || actor.revoking.size === 0) return
    this.#let(
      actor,
      [...actor.owned].filter((p) => !actor.revoking.has(p)),
    )
    this.#beat(actor)
  }

  #let(actor: Actor, owned: readonly string[]): void {
    actor.owned.clear()
    for (const partition of owned) actor.owned.add(partition)
    actor.revoking.clear()
    actor.stuckSince = undefined
  }

  /** One that only knows the old protocol, gives up what it must, and joins again. */
  #rejoinClassic(actor: Actor): void {
    const at = this.#now
    const topics = actor.subscription.subscribedTopicNames.length > 0 ? actor.subscription.subscribedTopicNames : ['orders']
    const names = new Map([...this.world.topics].map(([name, id]) => [id, name]))
    const ownedPartitions = byTopic(actor.owned).map((t) => ({ topic: names.get(t.topicId)!, partitions: t.partitions }))
    const protocols = [{ name: 'range', metadata: encodeSubscription({ topics, ownedPartitions }) }]
    const { id } = actor
    actor.waiting = true
    const options = { protocols, rebalanceTimeoutMs: REBALANCE_MS, sessionTimeoutMs: SESSION_MS }
    void this.world.join(id, options).then(async (joined) => {
      this.#count(`join ${joined.errorCode}`)
      this.#hear(joined.memberId!, this.#now)
      if (joined.errorCode === 79) actor.id = joined.memberId!
      if (joined.errorCode === 15) actor.revokingSince ??= at
      // It leads: the consumer group had become empty, and is a classic one now.
      if (joined.errorCode === 0 && joined.leader !== '') {
        void this.world.leave([{ memberId: joined.memberId! }])
        this.#forget(actor)
      } else if (joined.errorCode === 0) await this.#syncClassic(actor, joined.generationId!, at)
      else if (joined.errorCode !== 79 && joined.errorCode !== 15) this.#forget(actor)
      actor.waiting = false
    })
  }

  async #syncClassic(actor: Actor, generation: number, at: number): Promise<void> {
    actor.epoch = generation
    // It must sync in time, and join again in time when it is called.
    actor.revokingSince ??= at
    const answer = await this.world.sync(actor.id, generation)
    this.#count(`sync ${answer.errorCode}`)
    if (answer.errorCode !== 0) return this.#hear(actor.id, this.#now)
    const { assignedPartitions } = decodeAssignment(answer.assignment!)
    this.#well(actor, at)
    this.#give(
      actor,
      at,
      assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((p) => `${this.world.topics.get(topic)}/${p}`)),
    )
    // It gives up before it joins again, and has its own timeouts for that.
    actor.revokingSince = undefined
    this.#let(
      actor,
      [...actor.owned].filter((p) => !actor.revoking.has(p)),
    )
  }

  /** As who it is, or was. */
  #commit(actor: Actor, who: { id: string; epoch: number; owned: Iterable<string> }): void {
    const choice = [...who.owned].filter((p) => p.startsWith(this.world.topics.get('orders')!))
    const partition = choice[this.#random.below(choice.length || 1)]
    if (partition === undefined || who.epoch <= 0 || actor.speaksClassic) return
    const { id, epoch } = who
    const holder = this.#givenTo.get(partition)
    const isFenced = who !== actor && holder !== undefined && holder.actor !== actor
    const committedOffset = this.#nextOffset++
    const partitionIndex = Number(partition.split('/')[1])
    const partitions = [{ partitionIndex, committedOffset, committedLeaderEpoch: -1, committedMetadata: '' }]
    const topics = [{ name: 'orders', topicId: this.world.topics.get('orders')!, partitions }]
    void this.world.commitError(id, epoch, committedOffset, { topics }, 9).then((error) => {
      this.#count(`commit ${error}`)
      if (error === 0 && isFenced)
        this.violations.push(`${id} in epoch ${epoch} committed ${partition}, which ${holder.id} was given since`)
    })
  }

  /** A request that was long on its way. */
  #beatAsBefore(actor: Actor): void {
    const { id, epoch } = this.#formerly(actor)
    if (id !== actor.id || epoch <= 0 || epoch >= actor.epoch || actor.speaksClassic) return
    void this.world.heartbeat(id, epoch, { instanceId: actor.instance }).then(({ errorCode }) => {
      this.#count(`heartbeat ${errorCode}`)
      if (errorCode === 0) this.violations.push(`${id} was heard in epoch ${epoch}, which it had left`)
    })
  }

  #formerly(actor: Actor): Actor | Actor['past'][number] {
    const same = actor.past.filter((p) => p.id === actor.id)
    const from = same.length > 0 ? same : actor.past
    return from[this.#random.below(from.length || 1)] ?? actor
  }

  #leave(actor: Actor): void {
    if (actor.epoch === 0 || actor.waiting) return
    if (actor.speaksClassic) void this.world.leave([{ memberId: actor.id }])
    else {
      const epoch = actor.instance !== null && this.#random.below(2) === 0 ? -2 : -1
      void this.world
        .heartbeat(actor.id, epoch, { instanceId: actor.instance })
        .then((a) => this.#count(`leave ${epoch} ${a.errorCode}`))
    }
    this.#forget(actor)
  }

  /** Its client dies, and another begins. */
  #restart(actor: Actor): void {
    if (!actor.waiting) this.#forget(actor)
  }

  #forget(actor: Actor): void {
    actor.past.push({ id: actor.id, epoch: actor.epoch, owned: [...actor.owned] })
    this.#let(actor, [])
    actor.lastWell = NEVER
    actor.unsureSince = undefined
    actor.revokingSince = undefined
    actor.id = ''
    actor.epoch = 0
    actor.waiting = false
  }

  #subscribe(actor: Actor): void {
    actor.subscription = SUBSCRIPTIONS[this.#random.below(SUBSCRIPTIONS.length)]!
  }

  #growTopic(): void {
    const name = ['orders', 'payments'][this.#random.below(2)]!
    this.world.addPartitions(name, Math.min(this.world.partitionCounts.get(name)! + 1, 9))
  }

  #heal(): void {
    this.world.log.heal()
    this.#healedAt = this.#now
  }

  /** The new leader has what was committed, and perhaps more. */
  async #failOver(): Promise<void> {
    const { records, highWatermark } = this.world.log
    const kept = highWatermark + this.#random.below(records.length - highWatermark + 1)
    this.#count(kept < records.length ? 'records lost' : 'failover')
    this.world.elect(new TestLog(records.slice(0, kept)))
    this.world.clock.advance(0)
    this.#loadedAt = this.#now
    this.#healedAt = this.#now
    await settle()
  }

  /** Nobody stays who is silent, or who does not give up what it must. */
  async #checkMembers(): Promise<void> {
    if (this.world.log.highWatermark < this.world.log.endOffset || this.world.log.refuse !== 0) return
    if (this.#now - this.#healedAt < SLACK_MS) return
    const { members } = await this.world.describeConsumers()
    for (const { memberId } of members ?? []) {
      if (!this.#heard.has(memberId)) this.#heard.set(memberId, this.#now)
      const silentMs = this.#now - Math.max(this.#loadedAt, this.#heard.get(memberId)!)
      if (silentMs > SESSION_MS + SLACK_MS)
        this.violations.push(`${memberId} is in the group although it was silent for ${silentMs} ms`)
      const actor = this.#actors.find((a) => a.id === memberId && !a.speaksClassic)
      if (actor?.stuckSince === undefined) continue
      const slowMs = this.#now - Math.max(this.#loadedAt, actor.stuckSince)
      if (slowMs > REBALANCE_MS + SLACK_MS)
        this.violations.push(`${memberId} is in the group with what it was to give up ${slowMs} ms ago`)
    }
  }

  /** All is well, and everybody cooperates: then everything is with somebody, and nothing with two. */
  async #comeToRest(): Promise<void> {
    this.#heal()
    const alive = this.#actors.filter((a) => !a.isHoarder)
    for (const actor of alive) actor.subscription = SUBSCRIPTIONS[1]!
    for (const actor of this.#actors) if (actor.isHoarder) this.#leave(actor)
    for (let round = 0; round < 40; round++) {
      for (const actor of alive) {
        if (!actor.speaksClassic && actor.epoch > 0 && round === 0) await this.#announce(actor)
        this.#finishRevoking(actor)
        this.#beat(actor)
        await settle()
      }
      this.world.clock.advance(1000)
      await settle()
    }
    const owners = new Map<string, number>()
    for (const actor of alive) for (const p of actor.owned) owners.set(p, (owners.get(p) ?? 0) + 1)
    for (const [name, id] of this.world.topics) {
      for (let p = 0; p < this.world.partitionCounts.get(name)!; p++)
        if (owners.get(`${id}/${p}`) !== 1)
          this.violations.push(`${name}-${p} is with ${owners.get(`${id}/${p}`) ?? 0} members in the end`)
    }
    const sizes = alive.map((a) => a.owned.size)
    if (Math.max(...sizes) - Math.min(...sizes) > 1) this.violations.push(`in the end members have ${sizes.join()} partitions`)
  }

  async #announce(actor: Actor): Promise<void> {
    const request = { instanceId: actor.instance, rebalanceTimeoutMs: REBALANCE_MS, ...actor.subscription }
    const answer = await this.world.heartbeat(actor.id, actor.epoch, { ...request, topicPartitions: byTopic(actor.owned) })
    this.#answered(actor, actor.epoch, this.#now, answer)
  }
}

function byTopic(owned: Iterable<string>): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const partition of owned) {
    const [topicId, index] = partition.split('/') as [string, string]
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(index)])
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}
