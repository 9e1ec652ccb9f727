// Heartbeat: a member is alive, and hears whether it must rejoin.
import { type ErrorCode, Errors, type heartbeat, type RequestOf } from '@faultline/protocol'
import type { GroupShard } from './group-shard.ts'

export function beat(shard: GroupShard, request: RequestOf<typeof heartbeat>): ErrorCode {
  const group = shard.groups.get(request.groupId)
  if (!group) return Errors.UNKNOWN_MEMBER_ID
  const unknown = group.checkMember(request.memberId, request.groupInstanceId)
  if (unknown !== Errors.NONE) return unknown
  if (request.generationId !== group.generation) return Errors.ILLEGAL_GENERATION
  group.members.get(request.memberId)!.keepSession()
  return group.state === 'PreparingRebalance' ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE
}
