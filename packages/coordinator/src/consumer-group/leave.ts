// A member says that it goes: for good, or (a static one) for a while, in which nothing of its is given to others.
import { Errors } from '@faultline/protocol'
import type { GroupShard } from '../group/group-shard.ts'
import type { HeartbeatRequest } from './check-heartbeat.ts'
import { type ConsumerMember, STATIC_LEAVE_EPOCH } from './consumer-member.ts'
import { assignmentRecord } from './consumer-records.ts'
import { removeMembers } from './fence.ts'
import { carryOut, type GroupError, groupError, type GroupPlan, isGroupError, planFor } from './group-plan.ts'
import { checkHolder, type HeartbeatAnswer, noConsumerGroup } from './heartbeat.ts'
import { NOTHING_OWNED, ownedIn } from './partitions.ts'

export function leaveConsumerGroup(shard: GroupShard, request: HeartbeatRequest): HeartbeatAnswer {
  const { groupId, memberEpoch } = request
  const group = shard.consumerGroups.get(groupId)
  if (!group) return noConsumerGroup(shard, groupId, `Group ${groupId} not found.`)
  const plan = planFor(shard, group)
  const member = leaver(plan, request)
  if (isGroupError(member)) return member
  const errorCode = memberEpoch === STATIC_LEAVE_EPOCH ? goAway(plan, member) : removeMembers(plan, [member], `${member.id} left`)
  return errorCode === Errors.NONE ? { errorCode, memberId: member.id, memberEpoch } : { errorCode }
}

function leaver({ group }: GroupPlan, { memberId, instanceId }: HeartbeatRequest): ConsumerMember | GroupError {
  if (instanceId !== null) {
    const holder = group.staticMember(instanceId)
    return checkHolder(holder, memberId, instanceId) ?? holder!
  }
  const member = group.members.get(memberId)
  return member ?? groupError(Errors.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.id}.`)
}

/** Its session goes on: who does not come back within it is gone. */
function goAway(plan: GroupPlan, member: ConsumerMember) {
  const away = {
    ...member,
    epoch: STATIC_LEAVE_EPOCH,
    // What it commits when it is back counts from the beginning.
    assigned: ownedIn(0, member.assigned),
    pendingRevocation: NOTHING_OWNED,
  }
  plan.records.push(assignmentRecord(plan.group.id, away))
  const error = carryOut(plan, `${member.id} is away`)
  if (error === Errors.NONE) plan.group.timers.get(member.id)?.rebalance.clear()
  return error
}
