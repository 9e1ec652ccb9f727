// A member of a consumer group as its records describe it. It is a value: whoever plans a change makes another one, and the group takes it
// over when its record is replayed.
import type { ConsumerGroupValue } from '@faultline/protocol'
import { NOTHING_OWNED, type Owned, ownedFrom, sameOwned } from './partitions.ts'

/** How far a member is on its way to the target assignment. The numbers are those of its record. */
export const MemberState = {
  STABLE: 0,
  /** It has been told to give partitions up, and has not said that it did. */
  UNREVOKED_PARTITIONS: 1,
  /** Partitions that it is to get are still with others. */
  UNRELEASED_PARTITIONS: 2,
} as const

export interface ClassicProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

/** What is known of a member that speaks the classic protocol. */
export interface ClassicMetadata {
  readonly sessionTimeoutMs: number
  readonly supportedProtocols: readonly ClassicProtocol[]
}

export interface ConsumerMember {
  readonly id: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly subscribedTopicNames: ReadonlySet<string>
  /** Empty for none. */
  readonly subscribedTopicRegex: string
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  /** Null for a member that speaks the consumer protocol. */
  readonly classic: ClassicMetadata | null
  readonly epoch: number
  readonly previousEpoch: number
  readonly state: number
  readonly assigned: Owned
  readonly pendingRevocation: Owned
}

/** The epoch of a request, and of a member that is not there (any more). */
export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1
/** A static member is away for a while, and will come back. */
export const STATIC_LEAVE_EPOCH = -2

export function newMember(id: string): ConsumerMember {
  return {
    id,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: new Set(),
    subscribedTopicRegex: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    classic: null,
    epoch: 0,
    previousEpoch: 0,
    state: MemberState.STABLE,
    assigned: NOTHING_OWNED,
    pendingRevocation: NOTHING_OWNED,
  }
}

export function withMetadata(member: ConsumerMember, value: ConsumerGroupValue<'ConsumerGroupMemberMetadata'>): ConsumerMember {
  const { subscribedTopicNames, subscribedTopicRegex, classicMemberMetadata, ...rest } = value
  return {
    ...member,
    ...rest,
    subscribedTopicNames: new Set(subscribedTopicNames),
    subscribedTopicRegex: subscribedTopicRegex ?? '',
    classic: classicMemberMetadata && copyOf(classicMemberMetadata),
  }
}

/** The bytes of a record are not ours to keep. */
function copyOf({ sessionTimeoutMs, supportedProtocols }: ClassicMetadata): ClassicMetadata {
  return {
    sessionTimeoutMs,
    supportedProtocols: supportedProtocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) })),
  }
}

export function withAssignment(
  member: ConsumerMember,
  value: ConsumerGroupValue<'ConsumerGroupCurrentMemberAssignment'>,
): ConsumerMember {
  return {
    ...member,
    epoch: value.memberEpoch,
    previousEpoch: value.previousMemberEpoch,
    state: value.state,
    assigned: ownedFrom(value.assignedPartitions),
    pendingRevocation: ownedFrom(value.partitionsPendingRevocation),
  }
}

/** Do two say the same in what the member's own record holds? */
export function sameMetadata(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.serverAssignor === b.serverAssignor &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    sameNames(a.subscribedTopicNames, b.subscribedTopicNames) &&
    sameClassic(a.classic, b.classic)
  )
}

export function sameNames(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((name) => b.has(name))
}

function sameClassic(a: ClassicMetadata | null, b: ClassicMetadata | null): boolean {
  if (a === null || b === null) return a === b
  const [mine, others] = [a.supportedProtocols, b.supportedProtocols]
  if (a.sessionTimeoutMs !== b.sessionTimeoutMs || mine.length !== others.length) return false
  return mine.every((p, i) => p.name === others[i]!.name && sameBytes(p.metadata, others[i]!.metadata))
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Do two say the same in what the record of the current assignment holds? */
export function sameAssignment(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.epoch === b.epoch &&
    a.previousEpoch === b.previousEpoch &&
    a.state === b.state &&
    sameOwned(a.assigned, b.assigned) &&
    sameOwned(a.pendingRevocation, b.pendingRevocation)
  )
}

/** Has the member come to the target assignment of `epoch`, with all that it is to have? */
export function isReconciledTo(member: ConsumerMember, epoch: number): boolean {
  return member.state === MemberState.STABLE && member.epoch === epoch
}
