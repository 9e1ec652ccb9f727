// A classic group: its members, its generation and the state it is in (KIP-62, KIP-134, KIP-345). `adopt` takes over a record; everything
// else here is a rebalance under way, which a failover forgets: members then come back by themselves.
import { assert } from '@faultline/base'
import type { ErrorCode, GroupMetadataValue } from '@faultline/protocol'
import { Errors } from '@faultline/protocol'
import type { Deadline } from '../runtime/deadline.ts'
import { Member, type MemberRecord } from './member.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** From which states each may be entered. A dead group is one that is not there. */
const PREVIOUS: Record<GroupState, readonly GroupState[]> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
}

export interface GroupTimers {
  /** A pending or real member was silent for its session timeout. */
  session(memberId: string): Deadline
  /** The time to join is over. */
  join(): Deadline
  /** The time to sync is over. */
  sync(): Deadline
}

export class ClassicGroup {
  readonly id: string
  /** There is a record of it, not only of its offsets. */
  stored = false
  generation = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leader: string | null = null
  /** When the state that the record describes was entered; -1 for unknown. */
  stateTimestamp = -1
  readonly members = new Map<string, Member>()
  /** Member ids that were handed out but have not joined yet (KIP-394). */
  readonly pendingMembers = new Map<string, Deadline>()
  /** Members of this generation that have not asked for their assignment. */
  readonly pendingSync = new Set<string>()
  /** Of a rebalance that began with an empty group: time left in which more members may come. Undefined in any other. */
  initialJoin: { remainingMs: number; newMember: boolean } | undefined
  readonly joinDeadline: Deadline
  readonly syncDeadline: Deadline
  readonly #timers: GroupTimers
  readonly #staticMembers = new Map<string, string>()
  #state: GroupState = 'Empty'

  constructor(id: string, timers: GroupTimers) {
    this.id = id
    this.#timers = timers
    this.joinDeadline = timers.join()
    this.syncDeadline = timers.sync()
  }

  get state(): GroupState {
    return this.#state
  }

  transitionTo(state: GroupState): void {
    assert(PREVIOUS[state].includes(this.#state), `group ${this.id}: ${this.#state} to ${state}`)
    this.#state = state
  }

  get rebalanceTimeoutMs(): number {
    return Math.max(0, ...[...this.members.values()].map((m) => m.rebalanceTimeoutMs))
  }

  get awaitingJoinCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.awaitingJoin) count++
    return count
  }

  get allJoined(): boolean {
    return this.pendingMembers.size === 0 && this.awaitingJoinCount === this.members.size
  }

  /** The member id that holds `instanceId`. */
  staticMember(instanceId: string): string | undefined {
    return this.#staticMembers.get(instanceId)
  }

  /** Is `memberId` a member, and if it comes with an instance id, the one who holds that (KIP-345)? */
  checkMember(memberId: string, instanceId: string | null): ErrorCode {
    if (instanceId !== null) {
      const holder = this.#staticMembers.get(instanceId)
      if (holder === undefined) return Errors.UNKNOWN_MEMBER_ID
      if (holder !== memberId) return Errors.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? Errors.NONE : Errors.UNKNOWN_MEMBER_ID
  }

  newSession(memberId: string): Deadline {
    return this.#timers.session(memberId)
  }

  addPending(memberId: string, sessionTimeoutMs: number): void {
    const deadline = this.newSession(memberId)
    this.pendingMembers.set(memberId, deadline)
    deadline.set(sessionTimeoutMs)
  }

  removePending(memberId: string): void {
    this.pendingMembers.get(memberId)?.clear()
    this.pendingMembers.delete(memberId)
  }

  /** The first one is the leader, and says what kind of group this is. */
  add(member: Member, protocolType: string): void {
    this.removePending(member.id)
    if (this.members.size === 0) this.protocolType = protocolType
    this.leader ??= member.id
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id)
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (!member) return
    member.session.clear()
    this.members.delete(memberId)
    this.pendingSync.delete(memberId)
    if (member.instanceId !== null) this.#staticMembers.delete(member.instanceId)
    if (this.leader === memberId) this.leader = this.members.keys().next().value ?? null
  }

  /** `member` takes the place of the one who held its instance id, in the same position. */
  replaceStatic(member: Member, oldId: string): void {
    assert(member.instanceId !== null && this.#staticMembers.get(member.instanceId) === oldId, `${oldId} holds no instance id`)
    const all = [...this.members].map(([id, m]): [string, Member] => (id === oldId ? [member.id, member] : [id, m]))
    this.members.get(oldId)!.session.clear()
    this.members.clear()
    for (const [id, m] of all) this.members.set(id, m)
    this.pendingSync.delete(oldId)
    this.#staticMembers.set(member.instanceId, member.id)
    if (this.leader === oldId) this.leader = member.id
  }

  /** A leader that did not come back loses its place to the first member that did. False when nobody came. */
  electJoinedLeader(): boolean {
    if (this.leader !== null && this.members.get(this.leader)?.awaitingJoin) return true
    const joined = [...this.members.values()].find((m) => m.awaitingJoin)
    if (joined) this.leader = joined.id
    return joined !== undefined
  }

  /** The group is what its record says. Members who are here already keep what the record does not know of them. */
  adopt(value: GroupMetadataValue): void {
    this.stored = true
    this.generation = value.generation
    this.protocolType = value.protocolType === '' ? null : value.protocolType
    this.protocolName = value.protocol
    this.leader = value.leader
    this.stateTimestamp = value.currentStateTimestamp
    const known = new Map(this.members)
    this.members.clear()
    this.#staticMembers.clear()
    for (const record of value.members) this.#adoptMember(record, known.get(record.memberId))
    for (const member of known.values()) if (this.members.get(member.id) !== member) member.session.clear()
    this.#state = this.members.size > 0 ? 'Stable' : 'Empty'
  }

  #adoptMember(record: MemberRecord, known: Member | undefined): void {
    const member = known ?? this.#memberFrom(record)
    member.assignment = new Uint8Array(record.assignment)
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id)
  }

  #memberFrom(record: MemberRecord): Member {
    const options = {
      id: record.memberId,
      instanceId: record.groupInstanceId,
      clientId: record.clientId,
      clientHost: record.clientHost,
      // Version 0 had no rebalance timeout: the session's stood for it.
      rebalanceTimeoutMs: record.rebalanceTimeout === -1 ? record.sessionTimeout : record.rebalanceTimeout,
      sessionTimeoutMs: record.sessionTimeout,
      protocols: [{ name: this.protocolName ?? '', metadata: new Uint8Array(record.subscription) }],
    }
    return new Member(options, this.newSession(record.memberId))
  }

  /** The record of the group as it is, as of `now`. */
  toRecord(now: number): GroupMetadataValue {
    return {
      protocolType: this.protocolType ?? '',
      generation: this.generation,
      protocol: this.protocolName,
      leader: this.leader,
      currentStateTimestamp: now,
      members: [...this.members.values()].map((m) => m.toRecord(this.protocolName)),
    }
  }

  /** The group goes away: nothing of it may run any more. */
  dispose(): void {
    this.joinDeadline.clear()
    this.syncDeadline.clear()
    for (const member of this.members.values()) member.session.clear()
    for (const deadline of this.pendingMembers.values()) deadline.clear()
  }
}

const MAX_GENERATION = 0x7fffffff

export function nextGeneration(generation: number): number {
  return generation >= MAX_GENERATION ? 0 : generation + 1
}
