// LeaveGroup: members go, one by one or several at once; an administrator may name a static member by its instance id alone (KIP-345).
import { type ErrorCode, Errors, type leaveGroup, type RequestOf, type ResponseInput } from '@faultline/protocol'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupShard } from './group-shard.ts'
import { completeJoinIfAll, rebalance } from './rebalance.ts'
import { removeMember } from './sessions.ts'

type LeaveAnswer = ResponseInput<typeof leaveGroup>
export type Leaving = Pick<RequestOf<typeof leaveGroup>['members'][number], 'memberId' | 'groupInstanceId'>

export function leave(shard: GroupShard, groupId: string, leaving: readonly Leaving[]): LeaveAnswer {
  const group = shard.groups.get(groupId)
  const members = leaving.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: group ? leaveOne(group, memberId, groupInstanceId) : Errors.UNKNOWN_MEMBER_ID,
  }))
  if (group && members.some((m) => m.errorCode === Errors.NONE)) {
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') rebalance(shard, group, 'members left')
    else completeJoinIfAll(shard, group)
  }
  return { errorCode: Errors.NONE, members }
}

function leaveOne(group: ClassicGroup, memberId: string, instanceId: string | null): ErrorCode {
  if (memberId === '') {
    const holder = instanceId === null ? undefined : group.staticMember(instanceId)
    if (holder === undefined) return Errors.UNKNOWN_MEMBER_ID
    removeMember(group, holder)
    return Errors.NONE
  }
  if (group.pendingMembers.has(memberId)) {
    group.removePending(memberId)
    return Errors.NONE
  }
  const error = group.checkMember(memberId, instanceId)
  if (error === Errors.NONE) removeMember(group, memberId)
  return error
}
