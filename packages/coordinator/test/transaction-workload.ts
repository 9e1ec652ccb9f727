// Producers who do everything, in any order and as rivals, while coordinators fail over, the log refuses, and markers get lost.
import { Prng } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import type { TransactionCoordinator } from '../src/transaction/transaction-coordinator.ts'
import { settle } from './support.ts'
import { ClientTransaction, TransactionChecker } from './transaction-checker.ts'
import { given, type Producer, type SentMarker, TransactionWorld } from './transaction-support.ts'

const PARTITIONS = ['a-0', 'a-1', 'b-0', 'b-1']
const IDS = ['t', 'u']
const TIMEOUT_MS = 15_000
/** Whether it was done stays open after these. */
const UNCERTAIN: readonly number[] = [Errors.COORDINATOR_NOT_AVAILABLE, Errors.NOT_COORDINATOR]
const LOST: readonly number[] = [Errors.PRODUCER_FENCED, Errors.INVALID_PRODUCER_ID_MAPPING, Errors.INVALID_TXN_STATE]
const MARKER_ERRORS = [Errors.NOT_LEADER_OR_FOLLOWER, Errors.NETWORK_EXCEPTION, Errors.NOT_ENOUGH_REPLICAS]

interface Actor {
  readonly id: string
  /** Whether its epoch goes up with each transaction. */
  readonly bumps: boolean
  producer: Producer | undefined
  transaction: ClientTransaction | undefined
  /** The EndTxn that it repeats until it knows. */
  ending: boolean | undefined
  waiting: boolean
}

export interface TransactionWorkloadOptions {
  readonly seed: number
  readonly steps: number
  readonly Coordinator?: typeof TransactionCoordinator
  readonly afterStep?: (world: TransactionWorld) => Promise<void>
}

export class TransactionWorkload {
  readonly world: TransactionWorld
  readonly checker = new TransactionChecker()
  readonly counts: Record<string, number> = {}
  readonly #o: TransactionWorkloadOptions
  readonly #random: Prng
  readonly #actors: Actor[]
  /** Of coordinators that are gone; they may arrive all the same. */
  #late: SentMarker[] = []
  readonly #slow = new Set<SentMarker>()
  /** How many markers of ten are answered at once and well. */
  #health = 10

  constructor(options: TransactionWorkloadOptions) {
    this.#o = options
    this.#random = new Prng(options.seed)
    // Of one id, the epochs are used up before long.
    const used = given({ transactionalId: IDS[1]!, producerEpoch: 32_755 })
    this.world = new TransactionWorld([used], {}, options.Coordinator ? { Coordinator: options.Coordinator } : {})
    this.world.markers.hold()
    const idle = { producer: undefined, transaction: undefined, ending: undefined, waiting: false }
    this.#actors = [0, 1, 2, 3].map((n) => ({ id: IDS[n % 2]!, bumps: n >= 2 === (options.seed % 2 === 0), ...idle }))
  }

  get violations(): readonly string[] {
    return this.checker.violations
  }

  async run(): Promise<this> {
    for (let i = 0; i < this.#o.steps && this.violations.length === 0; i++) {
      this.#step()
      await settle()
      this.#carryMarkers()
      await settle()
      await this.#o.afterStep?.(this.world)
    }
    if (this.violations.length === 0) await this.#finish()
    this.counts['timed out'] = this.world.events.filter(([name]) => name === 'transaction.timed-out').length
    return this
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  #step(): void {
    const actor = this.#actors[this.#random.below(this.#actors.length)]!
    const roll = this.#random.below(100)
    if (roll < 60) return this.#act(actor)
    if (roll < 80) return this.world.clock.advance(this.#random.below(300))
    if (roll < 82) return this.world.clock.advance(this.#random.below(2 * TIMEOUT_MS))
    if (roll < 86) return this.world.log.disturb(this.#random)
    if (roll < 90) return this.world.log.heal()
    if (roll < 93) return void (this.#health = this.#random.below(11))
    if (roll < 96) return this.#failOver()
    if (roll < 98) return void (actor.producer = undefined)
    return this.#deliverLate()
  }

  #act(actor: Actor): void {
    if (actor.waiting) return
    // Not at once, or rivals would do nothing but fence each other.
    if (!actor.producer) return this.#random.below(5) > 0 ? undefined : this.#init(actor, undefined)
    if (actor.ending !== undefined) return this.#end(actor, actor.ending)
    const roll = this.#random.below(10)
    if (roll === 0) return this.#init(actor, actor.producer)
    if (roll === 1) return this.#verify(actor, actor.producer)
    if (roll < 6 || !actor.transaction) return this.#add(actor, actor.producer)
    this.#end(actor, this.#random.below(3) > 0)
  }

  async #ask<T>(actor: Actor, request: Promise<T>): Promise<T> {
    actor.waiting = true
    const answer = await request
    actor.waiting = false
    return answer
  }

  #init(actor: Actor, expected: Producer | undefined): void {
    const { id } = actor
    const request = this.world.init({ transactionalId: id, transactionTimeoutMs: TIMEOUT_MS, ...expected })
    void this.#ask(actor, request).then(({ error, producerId, producerEpoch }) => {
      this.#count(`init ${error}`)
      if (error === Errors.NONE) {
        this.checker.owns(id, { producerId, producerEpoch }, actor, expected !== undefined)
        if (producerEpoch === 0) this.#count('new producer id')
        Object.assign(actor, { producer: { producerId, producerEpoch }, transaction: undefined, ending: undefined })
      } else if (LOST.includes(error)) this.#lose(actor)
    })
  }

  #add(actor: Actor, producer: Producer): void {
    const { id, bumps } = actor
    const to = PARTITIONS.filter(() => this.#random.below(2) === 0)
    const sentAt = this.checker.now
    const attempt = this.checker.adding(id)
    void this.#ask(actor, this.world.add(producer, to, bumps ? 2 : 0, id)).then((error) => {
      this.#count(`add ${error}`)
      this.checker.added(id, attempt, error !== Errors.NONE && !UNCERTAIN.includes(error))
      if (LOST.includes(error)) return this.#lose(actor)
      if (error !== Errors.NONE || actor.producer !== producer) return
      this.checker.acted('AddPartitionsToTxn', id, producer, sentAt)
      const transaction = (actor.transaction ??= new ClientTransaction(producer))
      for (const partition of to) if (!this.checker.writes(transaction, partition)) this.#count('fenced by a partition')
    })
  }

  #verify(actor: Actor, producer: Producer): void {
    const sentAt = this.checker.now
    void this.#ask(actor, this.world.verify(producer, 'a-0', actor.id)).then((error) => {
      this.#count(`verify ${error}`)
      if (error === Errors.NONE) this.checker.acted('verification', actor.id, producer, sentAt)
    })
  }

  #end(actor: Actor, committed: boolean): void {
    const { id, bumps } = actor
    const producer = actor.producer!
    const transaction = (actor.transaction ??= new ClientTransaction(producer))
    actor.ending = committed
    const sentAt = this.checker.now
    void this.#ask(actor, this.world.end(producer, committed, bumps ? 5 : 4, id)).then(({ error, producerId, producerEpoch }) => {
      this.#count(`${committed ? 'commit' : 'abort'} ${error}`)
      if (LOST.includes(error)) return this.#lose(actor)
      if (error !== Errors.NONE) return
      this.checker.acted('EndTxn', id, producer, sentAt)
      this.checker.ended(id, transaction, committed, sentAt, bumps)
      actor.ending = actor.transaction = undefined
      if (!bumps || actor.producer !== producer) return
      this.checker.owns(id, { producerId, producerEpoch }, undefined, false)
      actor.producer = { producerId, producerEpoch }
    })
  }

  /** It begins anew, later. */
  #lose(actor: Actor): void {
    Object.assign(actor, { producer: undefined, transaction: undefined, ending: undefined })
  }

  /** Markers that wait: some arrive, some do not, some arrive and their answer gets lost. */
  #carryMarkers(): void {
    const { markers } = this.world
    const all = markers.held
    markers.held = []
    for (const marker of all) {
      const roll = this.#random.below(this.#slow.has(marker) ? 60 : 10)
      if (roll < this.#health) marker.done(this.checker.marker(marker.end, marker.to))
      else if (roll < 7) this.#fail(marker, roll % 2 === 0)
      else {
        this.#slow.add(marker)
        markers.held.push(marker)
      }
    }
  }

  /** The coordinator hears of an error; the marker may have arrived all the same. */
  #fail(marker: SentMarker, arrives: boolean): void {
    this.#count('marker error')
    if (arrives) this.checker.marker(marker.end, marker.to)
    marker.done(MARKER_ERRORS[this.#random.below(MARKER_ERRORS.length)]!)
  }

  #failOver(): void {
    const { log, markers } = this.world
    this.#late.push(...markers.held)
    const kept = log.highWatermark + this.#random.below(log.endOffset - log.highWatermark + 1)
    this.#count(kept < log.endOffset ? 'records lost' : 'failover')
    this.world.failOver(kept)
  }

  #deliverLate(): void {
    for (const { end, to } of this.#late) this.checker.marker(end, to)
    this.#late = []
  }

  async #finish(): Promise<void> {
    this.world.log.heal()
    this.#slow.clear()
    this.#health = 10
    for (let i = 0; i < 100; i++) {
      await settle()
      this.#carryMarkers()
      await settle()
      this.world.clock.advance(1000)
    }
    this.checker.finish()
    for (const id of IDS) {
      const state = await this.world.state(id)
      if (state !== undefined && /Ongoing|Prepare/.test(state)) this.checker.violations.push(`${id} is ${state} in the end`)
    }
  }
}
