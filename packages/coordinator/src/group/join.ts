// JoinGroup: a member comes, or comes back. Most answers wait until the rebalance that this causes is complete.
import { Errors, type ErrorCode, type joinGroup, type RequestOf } from '@faultline/protocol'
import { groupTombstones } from '../consumer-group/consumer-records.ts'
import { coordinatorError } from '../runtime/append-error.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupClient, GroupConfig } from './config.ts'
import { emptyGroup, groupRecord } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'
import { type JoinAnswer, Member, type Protocol } from './member.ts'
import { newMemberId } from './member-id.ts'
import { acceptsProtocols } from './protocols.ts'
import { completeJoinIfAll, generationAnswer, rebalance } from './rebalance.ts'
import { removeMember } from './sessions.ts'
import { replaceStaticMember } from './static-member.ts'

type JoinRequest = RequestOf<typeof joinGroup>

/** One JoinGroup with all that is needed to handle it. */
export interface Joining {
  readonly request: JoinRequest
  readonly client: GroupClient
  readonly protocols: readonly Protocol[]
  readonly answer: (value: JoinAnswer) => void
}

/** From here on a member id must be known before it joins (KIP-394). */
const MEMBER_ID_REQUIRED_SINCE = 4
/** A new member has no id to send heartbeats with; a client that gave up would stay in the group without this. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 300_000

export function checkSessionTimeout(request: JoinRequest, config: GroupConfig): ErrorCode {
  const fits = request.sessionTimeoutMs >= config.minSessionTimeoutMs && request.sessionTimeoutMs <= config.maxSessionTimeoutMs
  return fits ? Errors.NONE : Errors.INVALID_SESSION_TIMEOUT
}

export function join(shard: GroupShard, request: JoinRequest, client: GroupClient, answer: (value: JoinAnswer) => void): void {
  // The request's own memory is not ours to keep.
  const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) }))
  const joining = { request, client, protocols, answer }
  const error = admit(shard, joining)
  if (error !== Errors.NONE) return answer(refusal(error, error === Errors.GROUP_MAX_SIZE_REACHED ? '' : request.memberId))
  const group = shard.groups.get(request.groupId)!
  if (request.memberId === '') joinAsNew(shard, group, joining)
  else joinAsKnown(shard, group, joining)
}

/** Whether there is a group to join, and room in it. A group begins with its record, so that a member id outlives a failover of it. */
function admit(shard: GroupShard, { request, protocols }: Joining): ErrorCode {
  const { groupId, memberId, protocolType } = request
  const group = shard.groups.get(groupId)
  if (!group) {
    if (memberId !== '') return Errors.UNKNOWN_MEMBER_ID
    if (protocolType === '' || protocols.length === 0) return Errors.INCONSISTENT_GROUP_PROTOCOL
  } else {
    if (!hasRoom(group, memberId, shard.config.maxSize)) {
      group.removePending(memberId)
      removeMember(group, memberId)
      completeJoinIfAll(shard, group)
      return Errors.GROUP_MAX_SIZE_REACHED
    }
    if (!acceptsProtocols(group, protocolType, protocols)) return Errors.INCONSISTENT_GROUP_PROTOCOL
    if (group.stored) return Errors.NONE
  }
  // An empty consumer group makes place.
  const before = shard.consumerGroups.get(groupId)
  const record = groupRecord(groupId, emptyGroup('', 0, shard.context.clock.wall()))
  return coordinatorError(shard.context.append([...(before ? groupTombstones(before) : []), record]))
}

/** While members gather, those who are here count: so a group that is over its limit loses those who come last (KIP-389). */
function hasRoom(group: ClassicGroup, memberId: string, maxSize: number): boolean {
  const member = group.members.get(memberId)
  switch (group.state) {
    case 'Empty':
      return true
    case 'PreparingRebalance':
      return member?.awaitingJoin !== undefined || group.awaitingJoinCount < maxSize
    default:
      return member !== undefined || group.members.size < maxSize
  }
}

function joinAsNew(shard: GroupShard, group: ClassicGroup, joining: Joining): void {
  const { request, client, answer } = joining
  const instanceId = request.groupInstanceId
  const memberId = newMemberId(shard.context.random, instanceId ?? client.clientId)
  if (instanceId !== null) {
    const holder = group.staticMember(instanceId)
    if (holder !== undefined) return replaceStaticMember(shard, group, joining, holder, memberId)
    return addMember(shard, group, joining, memberId)
  }
  if (client.version < MEMBER_ID_REQUIRED_SINCE) return addMember(shard, group, joining, memberId)
  group.addPending(memberId, request.sessionTimeoutMs)
  answer(refusal(Errors.MEMBER_ID_REQUIRED, memberId))
}

function joinAsKnown(shard: GroupShard, group: ClassicGroup, joining: Joining): void {
  const { request, protocols, answer } = joining
  const { memberId } = request
  if (group.pendingMembers.has(memberId) && request.groupInstanceId === null) return addMember(shard, group, joining, memberId)
  const error = group.checkMember(memberId, request.groupInstanceId)
  if (error !== Errors.NONE) return answer(refusal(error, memberId))
  const member = group.members.get(memberId)!
  if (group.state !== 'PreparingRebalance' && member.hasProtocols(protocols)) {
    // The answer to its last join may have been lost. A leader of a stable group asks for a rebalance by joining.
    if (group.state === 'CompletingRebalance' || group.leader !== memberId) return answer(generationAnswer(group, member))
  }
  updateMember(member, joining)
  rebalance(shard, group, `${memberId} joined again`)
}

function updateMember(member: Member, { request, protocols, answer }: Joining): void {
  member.protocols = protocols
  member.sessionTimeoutMs = request.sessionTimeoutMs
  member.rebalanceTimeoutMs = rebalanceTimeout(request)
  // Its client has given up the request before this one.
  member.answerJoin(refusal(Errors.REBALANCE_IN_PROGRESS, member.id))
  member.awaitingJoin = answer
}

function addMember(shard: GroupShard, group: ClassicGroup, joining: Joining, memberId: string): void {
  const member = memberFrom(joining, memberId, group)
  member.isNew = true
  member.awaitingJoin = joining.answer
  if (group.initialJoin) group.initialJoin.newMember = true
  group.add(member, joining.request.protocolType)
  member.session.set(NEW_MEMBER_JOIN_TIMEOUT_MS)
  rebalance(shard, group, `${memberId} joined`)
}

export function memberFrom({ request, client, protocols }: Joining, id: string, group: ClassicGroup): Member {
  const options = {
    id,
    instanceId: request.groupInstanceId,
    clientId: client.clientId,
    clientHost: client.clientHost,
    rebalanceTimeoutMs: rebalanceTimeout(request),
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocols,
  }
  return new Member(options, group.newSession(id))
}

/** Version 0 had none: the session timeout stood for it. */
function rebalanceTimeout(request: JoinRequest): number {
  return request.rebalanceTimeoutMs === -1 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs
}

export function refusal(errorCode: ErrorCode, memberId: string): JoinAnswer {
  return { errorCode, memberId }
}
