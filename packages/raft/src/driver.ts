// Connects the machine to a clock, a disk and peers. The same driver runs in a node and in the simulator.
import { assert, type Clock, type Random, type Timer } from '@faultline/base'
import type { RaftConfig } from './core.ts'
import { decodeMessage, encodeMessage, MalformedMessage, type Message } from './message.ts'
import { type Input, type Output, Raft } from './raft.ts'
import { RULES, type Rules } from './rules.ts'
import {
  DEFAULT_LIMITS,
  type Entry,
  type RaftLimits,
  type RaftStorage,
  type RaftTiming,
  type Role,
  type RoleStatus,
  type Snapshot,
} from './types.ts'

export interface RaftDriverOptions {
  readonly id: number
  readonly voters: readonly number[]
  /** They receive the log and neither vote nor count. */
  readonly learners?: readonly number[]
  readonly clock: Clock
  readonly random: Random
  readonly storage: RaftStorage
  readonly timing: RaftTiming
  readonly limits?: RaftLimits
  readonly rules?: Rules
  /** Lossy is fine, and so is any order. */
  send(to: number, message: Uint8Array): void
  /** In order, each entry once in the life of this driver, no-ops (empty data) included. */
  onCommitted(entries: readonly Entry[]): void
  /** Replaces all applied state: at start what the disk holds, later what a leader sent. */
  onSnapshot(snapshot: Snapshot): void
  onRole(status: RoleStatus): void
  /** The disk failed, or the machine found a mistake of its own. The driver has stopped; the node must end. */
  onFatal(error: Error): void
}

export interface MemberStatus {
  readonly id: number
  /** The end of the log that it has confirmed; -1 where only the leader knows. */
  readonly matchIndex: number
  /** Time since it last answered, 0 for the node itself; -1 where only the leader knows. */
  readonly lastContactMs: number
}

export interface RaftStatus {
  readonly id: number
  readonly role: Role
  readonly term: number
  readonly leader: number
  readonly commit: number
  readonly lastIndex: number
  readonly voters: readonly MemberStatus[]
  readonly learners: readonly MemberStatus[]
  /** Messages that were dropped because they made no sense. */
  readonly malformed: number
}

export class NotLeader extends Error {
  override readonly name = 'NotLeader'
}

interface Read {
  readonly resolve: (index: number) => void
  readonly reject: (error: NotLeader) => void
}

export class RaftDriver {
  readonly #options: RaftDriverOptions
  readonly #outputs: Output[] = []
  readonly #reads = new Map<number, Read>()
  #raft: Raft | undefined
  #state: 'new' | 'starting' | 'running' | 'stopped' = 'new'
  #draining = false
  #timer: Timer | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #flushTimer: Timer | undefined
  #lastRead = 0
  #malformed = 0

  constructor(options: RaftDriverOptions) {
    this.#options = options
  }

  /** Rejects when the disk cannot be trusted: then this node must not take part. */
  async start(): Promise<void> {
    assert(this.#state === 'new', 'a driver starts once')
    const { clock, id, voters, learners = [], timing, random, storage, limits = DEFAULT_LIMITS, rules = RULES } = this.#options
    this.#state = 'starting'
    const survived = await storage.load()
    // Stopped meanwhile. (A method, as the compiler takes the field for unchanged.)
    if (!this.#isStarting()) return
    const config: RaftConfig = { id, voters, learners, timing, limits, random, rules }
    this.#raft = new Raft(config, survived, clock.mono())
    this.#state = 'running'
    this.#step({ type: 'tick' })
  }

  /** At once, without a farewell: `transferLeadership` first if there is time. The storage stays open. */
  stop(): void {
    this.#state = 'stopped'
    this.#timer?.cancel()
    this.#flushTimer?.cancel()
    this.#outputs.length = 0
    for (const read of this.#reads.values()) read.reject(new NotLeader('stopped'))
    this.#reads.clear()
  }

  receive(from: number, bytes: Uint8Array): void {
    if (!this.#isRunning()) return
    const message = this.#decode(from, bytes)
    if (message) this.#step({ type: 'message', from, message })
    else this.#malformed++
  }

  #decode(from: number, bytes: Uint8Array): Message | undefined {
    if (!this.#machine().core.peers.includes(from)) return undefined
    try {
      return decodeMessage(bytes)
    } catch (error) {
      if (error instanceof MalformedMessage) return undefined
      throw error
    }
  }

  /** Undefined: not the leader, handing over, or too much is uncommitted. A proposal can be lost as long as it is not committed. */
  propose(data: Uint8Array): { readonly index: number; readonly term: number } | undefined {
    if (!this.#isRunning()) return undefined
    const proposed = this.#machine().propose(data)
    if (proposed) this.#flushSoon()
    return proposed
  }

  /** Everything committed before the call is at or below the index. Rejects with NotLeader. */
  readIndex(): Promise<number> {
    if (!this.#isRunning()) return Promise.reject(new NotLeader('not running'))
    const id = ++this.#lastRead
    return new Promise((resolve, reject) => {
      this.#reads.set(id, { resolve, reject })
      this.#step({ type: 'read', id })
    })
  }

  transferLeadership(to?: number): void {
    if (this.#isRunning()) this.#step({ type: 'transfer', to })
  }

  /** `snapshot` is the applied state up to `index`; it takes the place of the log before it. */
  compact(index: number, snapshot: Uint8Array): void {
    if (this.#isRunning()) this.#step({ type: 'compact', index, data: snapshot })
  }

  /** The log in memory up to its end; entries after `commit` may still be replaced. */
  entriesSinceSnapshot(): {
    readonly snapshot: Snapshot | undefined
    readonly entries: readonly Entry[]
    readonly commit: number
  } {
    const { log, commit } = this.#machine().core
    return { snapshot: log.snapshot, entries: log.slice(log.firstIndex, log.lastIndex), commit }
  }

  status(): RaftStatus {
    const { role, term, leader, commit, log, config } = this.#machine().core
    const { id, voters, learners } = config
    const status = { id, role, term, leader, commit, lastIndex: log.lastIndex, malformed: this.#malformed }
    return { ...status, voters: voters.map((of) => this.#member(of)), learners: learners.map((of) => this.#member(of)) }
  }

  #member(id: number): MemberStatus {
    const { core } = this.#machine()
    if (id === core.config.id) return { id, matchIndex: core.writes.durable, lastContactMs: 0 }
    const progress = core.lead?.progress.get(id)
    if (!progress) return { id, matchIndex: -1, lastContactMs: -1 }
    return { id, matchIndex: progress.match, lastContactMs: this.#options.clock.mono() - progress.lastContact }
  }

  #machine(): Raft {
    assert(this.#raft, 'the driver has not started')
    return this.#raft
  }

  #isStarting(): boolean {
    return this.#state === 'starting'
  }

  #isRunning(): boolean {
    return this.#state === 'running'
  }

  /** A callback may call back into the driver: the step is taken at once, its output is carried out after the one in progress. */
  #step(input: Input): void {
    if (!this.#isRunning()) return
    try {
      this.#outputs.push(this.#machine().step(input, this.#options.clock.mono()))
      if (!this.#draining) this.#drain()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #drain(): void {
    this.#draining = true
    try {
      for (let output = this.#outputs.shift(); output; output = this.#outputs.shift()) this.#carryOut(output)
    } finally {
      this.#draining = false
    }
  }

  #carryOut(output: Output): void {
    const { write, send, role, snapshot, committed, reads } = output
    const { storage, send: sendTo, onRole, onSnapshot, onCommitted } = this.#options
    if (write) storage.persist(write.batch, (error) => this.#persisted(write.sequence, error))
    for (const { to, message } of send) sendTo(to, encodeMessage(message))
    if (role) onRole(role)
    // Any of these may stop the driver.
    if (snapshot && this.#isRunning()) onSnapshot(snapshot)
    if (committed.length > 0 && this.#isRunning()) onCommitted(committed)
    for (const { id, index } of reads) this.#answer(id, index)
    if (output.wantsFlush) this.#flushSoon()
    this.#wakeAt(output.wakeAt)
  }

  #persisted(sequence: number, error: Error | undefined): void {
    if (!this.#isRunning()) return
    if (error) this.#fail(error)
    else this.#step({ type: 'persisted', sequence })
  }

  #answer(id: number, index: number | undefined): void {
    const read = this.#reads.get(id)
    this.#reads.delete(id)
    if (index === undefined) read?.reject(new NotLeader('leadership was lost'))
    else read?.resolve(index)
  }

  #flushSoon(): void {
    this.#flushTimer ??= this.#options.clock.after(0, () => {
      this.#flushTimer = undefined
      this.#step({ type: 'flush' })
    })
  }

  /** A deadline that moved away leaves the timer as it is: it fires early, finds nothing to do, and is set anew. */
  #wakeAt(at: number): void {
    if (this.#state !== 'running' || at >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#options.clock.after(Math.max(0, at - this.#options.clock.mono()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#step({ type: 'tick' })
    })
  }

  #fail(error: Error): void {
    if (!this.#isRunning()) return
    this.stop()
    this.#options.onFatal(error)
  }
}
