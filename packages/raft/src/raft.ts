// The machine: one call is one atomic step from an input to what has to be written, then sent, then applied. It owns no clock, no
// socket and no disk; `src/driver.ts` connects it to them.
import { assert } from '@faultline/base'
import { Core, type RaftConfig, type ReadAnswer } from './core.ts'
import { becomeCandidate, becomePreCandidate, countBallot, onPreVote, onPreVoteReply, onVote, onVoteReply } from './election.ts'
import { onAppend, onHeartbeat, onInstallSnapshot } from './following.ts'
import type { Message } from './message.ts'
import {
  advanceCommit,
  broadcastHeartbeat,
  flush,
  onAppendReply,
  onHeartbeatReply,
  onInstallSnapshotReply,
  propose,
} from './replication.ts'
import { readIndex } from './reads.ts'
import { transferLeadership } from './transfer.ts'
import type { Batch, Entry, RoleStatus, Snapshot, Survived } from './types.ts'
import type { Envelope } from './writes.ts'

export type Input =
  /** A deadline may have passed. */
  | { readonly type: 'tick' }
  | { readonly type: 'message'; readonly from: number; readonly message: Message }
  /** The write with this sequence number, and so every one before it, is durable. */
  | { readonly type: 'persisted'; readonly sequence: number }
  /** The turn is over: write and send what waited for company. */
  | { readonly type: 'flush' }
  | { readonly type: 'read'; readonly id: number }
  | { readonly type: 'transfer'; readonly to: number | undefined }
  /** Applied state up to an index, in place of the log before it. */
  | { readonly type: 'compact'; readonly index: number; readonly data: Uint8Array }

/** To be carried out in the order of the fields. */
export interface Output {
  /** Begin this write; tell when it is durable. Messages that depend on it come out then, not now. */
  readonly write: { readonly sequence: number; readonly batch: Batch } | undefined
  readonly send: readonly Envelope[]
  /** The role, the term or the leader changed. */
  readonly role: RoleStatus | undefined
  /** Replaces all applied state. */
  readonly snapshot: Snapshot | undefined
  readonly committed: readonly Entry[]
  readonly reads: readonly ReadAnswer[]
  /** A 'flush' is wanted when this turn is over. */
  readonly wantsFlush: boolean
  /** When the next 'tick' is due. */
  readonly wakeAt: number
}

export class Raft {
  readonly #core: Core
  #reported: RoleStatus

  constructor(config: RaftConfig, survived: Survived, now: number) {
    this.#core = new Core(config, survived, now)
    this.#reported = { role: 'follower', term: this.#core.term, leader: -1 }
  }

  /** To be read, not changed: for status reports and tests. */
  get core(): Readonly<Core> {
    return this.#core
  }

  /**
   * Appends to a leader's log. Nothing is written or sent before the next step, so that the proposals of one turn share a write and a
   * message: a 'flush' has to follow. Undefined: not the leader, handing over, or too much is uncommitted.
   */
  propose(data: Uint8Array): { readonly index: number; readonly term: number } | undefined {
    const core = this.#core
    const { lead, config } = core
    if (!lead || lead.transfer || lead.uncommittedBytes > config.limits.uncommittedBytes) return undefined
    propose(core, lead, data)
    return { index: core.log.lastIndex, term: core.term }
  }

  step(input: Input, now: number): Output {
    this.#core.now = now
    this.#handle(input)
    return this.#collect()
  }

  #handle(input: Input): void {
    const core = this.#core
    const { lead } = core
    switch (input.type) {
      case 'tick':
        return lead ? this.#tickLeader() : this.#tickElection()
      case 'message':
        return this.#receive(input.from, input.message)
      case 'persisted':
        return this.#persisted(input.sequence)
      case 'flush':
        if (lead?.dirty) flush(core, lead)
        return
      case 'read':
        if (lead) readIndex(core, lead, input.id)
        else core.answers.push({ id: input.id, index: undefined })
        return
      case 'transfer':
        if (lead) transferLeadership(core, lead, input.to)
        return
      case 'compact':
        assert(input.index <= core.applied, `compaction up to ${input.index}, applied up to ${core.applied}`)
        if (input.index >= core.log.firstIndex) core.log.compact(input.index, input.data)
        return
    }
  }

  #tickElection(): void {
    const core = this.#core
    if (core.now >= core.electionDeadline) becomePreCandidate(core)
  }

  #tickLeader(): void {
    const core = this.#core
    const lead = core.lead!
    if (core.now >= this.#resignAt()) return core.becomeFollower(core.term, -1)
    if (lead.transfer && core.now >= lead.transfer.deadline) lead.transfer = undefined
    if (core.now < lead.heartbeatDeadline) return
    broadcastHeartbeat(core, lead)
    core.recordCommit = true
  }

  /** When a leader gives up that hears from no quorum, or whose disk does not answer: it could neither commit nor read. */
  #resignAt(): number {
    const core = this.#core
    const heard = core.reachedByQuorum(core.now, (progress) => progress.lastContact, core.lead!)
    return Math.min(heard, core.writes.stuckSince) + core.config.timing.checkQuorumMs
  }

  #persisted(sequence: number): void {
    const core = this.#core
    const { selfVote, released } = core.writes.complete(sequence)
    core.released.push(...released)
    if (core.role === 'candidate' && selfVote === core.term) countBallot(core, core.config.id, true)
    if (core.lead) advanceCommit(core, core.lead)
  }

  #receive(from: number, message: Message): void {
    const core = this.#core
    if (message.kind === 'preVote') return onPreVote(core, from, message)
    const grantsPreVote = message.kind === 'preVoteReply' && message.granted
    if (message.term > core.term && !grantsPreVote) {
      if (message.kind === 'vote' && !message.transfer && core.standsByLeader) return
      core.becomeFollower(message.term, -1)
    }
    if (core.config.rules.isStale(message.term, core.term)) return this.#correctStale(from, message)
    this.#dispatch(from, message)
  }

  /** A deposed leader, or a candidate that is late, learns the term from the answer and steps down. */
  #correctStale(from: number, { kind }: Message): void {
    const { term } = this.#core
    if (kind === 'vote') this.#core.send(from, { kind: 'voteReply', term, granted: false })
    else if (kind === 'append' || kind === 'heartbeat' || kind === 'installSnapshot')
      this.#core.send(from, { kind: 'appendReply', term, accepted: false, index: 0, hintIndex: 0, hintTerm: 0 })
  }

  #dispatch(from: number, message: Message): void {
    const core = this.#core
    const { lead } = core
    switch (message.kind) {
      case 'preVoteReply':
        return onPreVoteReply(core, from, message)
      case 'vote':
        return onVote(core, from, message)
      case 'voteReply':
        return onVoteReply(core, from, message)
      case 'append':
        return onAppend(core, from, message)
      case 'heartbeat':
        return onHeartbeat(core, from, message)
      case 'installSnapshot':
        return onInstallSnapshot(core, from, message)
      case 'appendReply':
        return lead && onAppendReply(core, lead, from, message)
      case 'heartbeatReply':
        return lead && onHeartbeatReply(core, lead, from, message)
      case 'installSnapshotReply':
        return lead && onInstallSnapshotReply(core, lead, from, message)
      case 'timeoutNow':
        if (core.isVoter && core.role !== 'leader') becomeCandidate(core, true)
        return
    }
  }

  #collect(): Output {
    const core = this.#core
    const write = this.#beginWrite()
    const send = this.#takeSendable()
    const snapshot = core.takeSnapshot()
    const committed = core.takeCommitted()
    const reads = core.answers
    core.answers = []
    const wantsFlush = core.lead?.dirty ?? false
    return { write, send, role: this.#takeRole(), snapshot, committed, reads, wantsFlush, wakeAt: this.#wakeAt() }
  }

  #beginWrite(): Output['write'] {
    const core = this.#core
    const unsaved = core.log.takeUnsaved()
    const hardState = { term: core.term, vote: core.vote, commit: core.commit }
    const must = core.config.rules.mustPersist(core.recorded, hardState)
    const commitMoved = hardState.commit !== core.recorded.commit
    const may = commitMoved && core.recordCommit && core.writes.idle
    core.recordCommit = false
    if (!unsaved && !must && !may) return undefined
    const batch: Batch = unsaved ?? { entries: [] }
    if (must || commitMoved) batch.hardState = core.recorded = hardState
    const selfVote = core.role === 'candidate' && core.vote === core.config.id ? core.term : undefined
    return { sequence: core.writes.begin(core.now, core.log.lastIndex, selfVote), batch }
  }

  #takeSendable(): Envelope[] {
    const core = this.#core
    const send = core.released
    core.released = []
    for (const envelope of core.outgoing) {
      if (core.writes.idle || !core.config.rules.waitsForDisk(envelope.message.kind)) send.push(envelope)
      else core.writes.hold(envelope)
    }
    core.outgoing = []
    return send
  }

  #takeRole(): RoleStatus | undefined {
    const { role, term, leader } = this.#core
    const known = this.#reported
    if (known.role === role && known.term === term && known.leader === leader) return undefined
    this.#reported = { role, term, leader }
    return this.#reported
  }

  #wakeAt(): number {
    const { lead, electionDeadline } = this.#core
    if (!lead) return electionDeadline
    return Math.min(lead.heartbeatDeadline, lead.transfer?.deadline ?? Number.POSITIVE_INFINITY, this.#resignAt())
  }
}
