// SyncGroup, Heartbeat and LeaveGroup of members that speak the classic protocol, served from the state of their consumer group.
import {
  type ErrorCode,
  Errors,
  type heartbeat,
  type leaveGroup,
  type RequestOf,
  type ResponseInput,
  type syncGroup,
} from '@faultline/protocol'
import type { GroupShard } from '../group/group-shard.ts'
import type { Leaving } from '../group/leave.ts'
import type { SyncAnswer } from '../group/member.ts'
import { CONSUMER } from '../group/protocols.ts'
import { consumerProtocolVersion, protocolNameOf } from './classic-protocol.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, MemberState } from './consumer-member.ts'
import { assignmentBytes } from './downgrade.ts'
import { removeMembers } from './fence.ts'
import { planFor } from './group-plan.ts'
import { checkHolder } from './heartbeat.ts'
import { keepConsumerSession, timersOf } from './member-timers.ts'
import { contains } from './partitions.ts'

export function syncConsumerGroup(shard: GroupShard, group: ConsumerGroup, request: RequestOf<typeof syncGroup>): SyncAnswer {
  const { memberId, groupInstanceId, generationId, protocolType, protocolName } = request
  const errorCode = checkClassicMember(group, memberId, groupInstanceId, generationId)
  if (errorCode !== Errors.NONE) return { errorCode }
  const member = group.members.get(memberId)!
  if ((protocolType ?? CONSUMER) !== CONSUMER || (protocolName ?? protocolNameOf(member)) !== protocolNameOf(member))
    return { errorCode: Errors.INCONSISTENT_GROUP_PROTOCOL }
  // Who has something to give up has joined already: it must hear what it keeps.
  if (group.epoch > member.epoch && member.state !== MemberState.UNREVOKED_PARTITIONS) {
    callToJoin(shard, group, member)
    return { errorCode: Errors.REBALANCE_IN_PROGRESS }
  }
  timersOf(shard, group, memberId).sync.clear()
  keepConsumerSession(shard, group, member)
  const assignment = assignmentBytes(member.assigned, consumerProtocolVersion(member), shard.topics)
  return { errorCode, protocolType, protocolName, assignment }
}

export function beatConsumerGroup(shard: GroupShard, group: ConsumerGroup, request: RequestOf<typeof heartbeat>): ErrorCode {
  const { memberId, groupInstanceId, generationId } = request
  const error = checkClassicMember(group, memberId, groupInstanceId, generationId)
  if (error !== Errors.NONE) return error
  const member = group.members.get(memberId)!
  keepConsumerSession(shard, group, member)
  if (!mustRejoin(group, member)) return Errors.NONE
  callToJoin(shard, group, member)
  return Errors.REBALANCE_IN_PROGRESS
}

function checkClassicMember(group: ConsumerGroup, memberId: string, instanceId: string | null, generation: number): ErrorCode {
  if (instanceId !== null) {
    const fenced = checkHolder(group.staticMember(instanceId), memberId, instanceId)
    if (fenced) return fenced.errorCode
  }
  const member = group.members.get(memberId)
  if (!member || member.classic === null) return Errors.UNKNOWN_MEMBER_ID
  return generation === member.epoch ? Errors.NONE : Errors.ILLEGAL_GENERATION
}

/** There is a newer epoch, something to give up, or something that has become free for it. */
function mustRejoin(group: ConsumerGroup, member: ConsumerMember): boolean {
  if (member.epoch < group.epoch || member.state === MemberState.UNREVOKED_PARTITIONS) return true
  return member.state === MemberState.UNRELEASED_PARTITIONS && !waitsForOthers(group, member)
}

function waitsForOthers(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.targetOf(member.id)) {
    for (const partition of partitions)
      if (!contains(member.assigned, topicId, partition) && !group.isFree(topicId, partition)) return true
  }
  return false
}

function callToJoin(shard: GroupShard, group: ConsumerGroup, member: ConsumerMember): void {
  const { join } = timersOf(shard, group, member.id)
  if (!join.pending) join.set(member.rebalanceTimeoutMs)
}

export function leaveAsClassic(
  shard: GroupShard,
  group: ConsumerGroup,
  leaving: readonly Leaving[],
): ResponseInput<typeof leaveGroup> {
  const gone = new Set<ConsumerMember>()
  const members = leaving.map(({ memberId, groupInstanceId }) => {
    const member = leaver(group, memberId, groupInstanceId)
    if (typeof member === 'number') return { memberId, groupInstanceId, errorCode: member }
    gone.add(member)
    return { memberId, groupInstanceId, errorCode: Errors.NONE }
  })
  const error = gone.size === 0 ? Errors.NONE : removeMembers(planFor(shard, group), [...gone], 'members left')
  return error === Errors.NONE ? { errorCode: error, members } : { errorCode: error }
}

/** An administrator may name a static member by its instance id alone, whichever protocol it speaks. */
function leaver(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember | ErrorCode {
  if (instanceId === null) return group.members.get(memberId) ?? Errors.UNKNOWN_MEMBER_ID
  const holder = group.staticMember(instanceId)
  if (!holder || memberId === '') return holder ?? Errors.UNKNOWN_MEMBER_ID
  return checkHolder(holder, memberId, instanceId)?.errorCode ?? holder
}
