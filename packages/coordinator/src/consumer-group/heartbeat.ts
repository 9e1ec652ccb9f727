// ConsumerGroupHeartbeat: a member joins, lives on, or leaves. Each heartbeat takes it a step towards what it is to have.
import { type consumerGroupHeartbeat, Errors, type ResponseInput } from '@faultline/protocol'
import type { GroupClient } from '../group/config.ts'
import type { GroupShard } from '../group/group-shard.ts'
import { advance } from './advance.ts'
import { checkEpoch, type HeartbeatRequest, isLeaving } from './check-heartbeat.ts'
import { type ConsumerMember, JOIN_EPOCH, newMember } from './consumer-member.ts'
import { carryOut, type GroupError, groupError, type GroupPlan, isGroupError, planFor } from './group-plan.ts'
import { leaveConsumerGroup } from './leave.ts'
import { newConsumerMemberId } from './member-id.ts'
import { followRevocation, keepConsumerSession } from './member-timers.ts'
import { openForConsumer } from './open-group.ts'
import { partitionList, samePartitions } from './partitions.ts'
import { checkRegex, refreshRegexes } from './regular-expressions.ts'
import { takePlaceOf } from './static-member.ts'

export type HeartbeatAnswer = ResponseInput<typeof consumerGroupHeartbeat>

/** One that is well in itself. */
export function consumerHeartbeat(shard: GroupShard, request: HeartbeatRequest, client: GroupClient): HeartbeatAnswer {
  if (isLeaving(request)) return leaveConsumerGroup(shard, request)
  const plan = planOf(shard, request)
  if (isGroupError(plan)) return plan
  const full = checkRoom(plan, request.memberId)
  if (full) return full
  return beat(plan, { ...request, memberId: request.memberId || newConsumerMemberId(shard.context.random) }, client)
}

function planOf(shard: GroupShard, request: HeartbeatRequest): GroupPlan | GroupError {
  const { groupId, memberEpoch } = request
  const group = shard.consumerGroups.get(groupId)
  if (group) return planFor(shard, group)
  if (memberEpoch === JOIN_EPOCH) return openForConsumer(shard, groupId)
  return noConsumerGroup(shard, groupId, `Consumer group ${groupId} not found.`)
}

/** A group of another kind may have the id. */
export function noConsumerGroup(shard: GroupShard, groupId: string, missing: string): GroupError {
  const isClassic = shard.groups.has(groupId)
  return groupError(Errors.GROUP_ID_NOT_FOUND, isClassic ? `Group ${groupId} is not a consumer group.` : missing)
}

export function checkRoom({ group, shard }: GroupPlan, memberId: string): GroupError | undefined {
  const { maxSize } = shard.config.consumer
  if (group.members.size < maxSize || group.members.has(memberId)) return undefined
  const message = `The consumer group has reached its maximum capacity of ${maxSize} members.`
  return groupError(Errors.GROUP_MAX_SIZE_REACHED, message)
}

function beat(plan: GroupPlan, request: HeartbeatRequest, client: GroupClient): HeartbeatAnswer {
  const { shard, group } = plan
  const found = memberFor(plan, request)
  if (isGroupError(found)) return found
  const { member: before, replaced } = found
  const after = described(before, request, client)
  const invalid = checkRegex(group, before, after)
  if (invalid) return invalid
  const next = advance(plan, { before, after, owned: request.topicPartitions, replaced })
  const errorCode = carryOut(plan, `a heartbeat of ${next.id}`)
  if (errorCode !== Errors.NONE) return { errorCode }
  const current = shard.consumerGroups.get(group.id)!
  current.hashIsStale = false
  // A group that was not there before may have members of a classic one, whose sessions begin, too.
  for (const member of current === group ? [next] : current.members.values()) keepConsumerSession(shard, current, member)
  followRevocation(shard, current, before, next)
  refreshRegexes(shard, current)
  return {
    errorCode: Errors.NONE,
    memberId: next.id,
    memberEpoch: next.epoch,
    heartbeatIntervalMs: shard.config.consumer.heartbeatIntervalMs(group.id),
    assignment: isToBeTold(before, next, request) ? { topicPartitions: partitionList(next.assigned) } : null,
  }
}

interface Found {
  readonly member: ConsumerMember
  /** The id of the member whose place this one takes. */
  readonly replaced: string | undefined
}

function memberFor(plan: GroupPlan, request: HeartbeatRequest): Found | GroupError {
  const { group } = plan
  const { memberId, instanceId } = request
  const isJoining = request.memberEpoch === JOIN_EPOCH
  if (instanceId !== null) return staticMemberFor(plan, request, instanceId)
  const member = group.members.get(memberId)
  if (isJoining) return { member: member ?? newMember(memberId), replaced: undefined }
  if (!member) return groupError(Errors.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.id}.`)
  return checkEpoch(member, request) ?? { member, replaced: undefined }
}

function staticMemberFor(plan: GroupPlan, request: HeartbeatRequest, instanceId: string): Found | GroupError {
  const { memberId } = request
  const holder = plan.group.staticMember(instanceId)
  if (request.memberEpoch === JOIN_EPOCH) {
    if (!holder) return { member: newMember(memberId), replaced: undefined }
    return takePlaceOf(plan, holder, memberId)
  }
  return checkHolder(holder, memberId, instanceId) ?? checkEpoch(holder!, request) ?? { member: holder!, replaced: undefined }
}

export function checkHolder(holder: ConsumerMember | undefined, memberId: string, instanceId: string): GroupError | undefined {
  if (!holder) return groupError(Errors.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
  if (holder.id === memberId) return undefined
  const message = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${holder.id}.`
  return groupError(Errors.FENCED_INSTANCE_ID, message)
}

/** What a request leaves out has not changed. */
function described(member: ConsumerMember, request: HeartbeatRequest, client: GroupClient): ConsumerMember {
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    subscribedTopicNames: request.subscribedTopicNames ? new Set(request.subscribedTopicNames) : member.subscribedTopicNames,
    subscribedTopicRegex: request.subscribedTopicRegex ?? member.subscribedTopicRegex,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    clientId: client.clientId,
    clientHost: client.clientHost,
    classic: null,
  }
}

/** A member hears what it has when that has changed, and when it says all that there is to say: then it may have forgotten. */
function isToBeTold(before: ConsumerMember, next: ConsumerMember, request: HeartbeatRequest): boolean {
  const { memberEpoch, rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions } = request
  const saysAll =
    rebalanceTimeoutMs !== -1 && (subscribedTopicNames !== null || subscribedTopicRegex !== null) && topicPartitions !== null
  return memberEpoch === JOIN_EPOCH || saysAll || !samePartitions(before.assigned, next.assigned)
}
