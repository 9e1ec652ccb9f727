// A consumer group (KIP-848): its epoch, its members, what they are to have and what they have. All of it follows from records; what a
// failover may forget stands apart.
import type { MemberTimers } from './member-timers.ts'
import { type ConsumerMember, isReconciledTo } from './consumer-member.ts'
import { NO_PARTITIONS, type Owned, type Partitions } from './partitions.ts'

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** The topics that a regular expression stood for when it was last looked at. */
export interface ResolvedRegex {
  readonly topics: ReadonlySet<string>
  /** Of the cluster's metadata. */
  readonly version: number
  readonly timestamp: number
}

export class ConsumerGroup {
  readonly id: string
  /** Grows whenever there is a reason to assign anew. */
  epoch = 1
  /** The epoch that the targets were made for. */
  assignmentEpoch = 1
  /** When they were made; 0 for never. */
  assignmentTimestamp = 0
  /** Of the topics that members read, as they were at `epoch`. */
  metadataHash = 0
  readonly targets = new Map<string, Partitions>()
  readonly regexes = new Map<string, ResolvedRegex>()
  readonly #members = new Map<string, ConsumerMember>()
  readonly #staticMembers = new Map<string, string>()
  /** Who has a partition, or has not given it up yet. */
  readonly #owners = new Map<string, Map<number, string>>()

  /** Topics may have changed since `metadataHash` was made. A failover assumes so. */
  hashIsStale = true
  /** Regular expressions are being resolved. */
  resolving = false
  readonly timers = new Map<string, MemberTimers>()

  constructor(id: string) {
    this.id = id
  }

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members
  }

  get state(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.#members.values()) if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling'
    return 'Stable'
  }

  /** The member that holds `instanceId`. */
  staticMember(instanceId: string): ConsumerMember | undefined {
    const id = this.#staticMembers.get(instanceId)
    return id === undefined ? undefined : this.#members.get(id)
  }

  targetOf(memberId: string): Partitions {
    return this.targets.get(memberId) ?? NO_PARTITIONS
  }

  isFree(topicId: string, partition: number): boolean {
    return !this.#owners.get(topicId)?.has(partition)
  }

  setMember(member: ConsumerMember): void {
    const old = this.#members.get(member.id)
    if (old) this.#release(old)
    this.#members.set(member.id, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id)
    this.#own(member.id, member.assigned)
    this.#own(member.id, member.pendingRevocation)
  }

  removeMember(memberId: string): void {
    const member = this.#members.get(memberId)
    if (!member) return
    this.#release(member)
    this.#members.delete(memberId)
    const { instanceId } = member
    if (instanceId !== null && this.#staticMembers.get(instanceId) === memberId) this.#staticMembers.delete(instanceId)
    this.#clearTimers(memberId)
  }

  #own(memberId: string, owned: Owned): void {
    for (const [topicId, partitions] of owned) {
      let owners = this.#owners.get(topicId)
      if (!owners) this.#owners.set(topicId, (owners = new Map()))
      for (const partition of partitions.keys()) owners.set(partition, memberId)
    }
  }

  /** Of a log that was compacted, another member's record may have come first. */
  #release({ id, assigned, pendingRevocation }: ConsumerMember): void {
    for (const owned of [assigned, pendingRevocation]) {
      for (const [topicId, partitions] of owned) {
        const owners = this.#owners.get(topicId)
        if (!owners) continue
        for (const partition of partitions.keys()) if (owners.get(partition) === id) owners.delete(partition)
        if (owners.size === 0) this.#owners.delete(topicId)
      }
    }
  }

  #clearTimers(memberId: string): void {
    this.timers.get(memberId)?.clear()
    this.timers.delete(memberId)
  }

  /** The group goes away: nothing of it may run any more. */
  dispose(): void {
    for (const timers of this.timers.values()) timers.clear()
    this.timers.clear()
  }
}
