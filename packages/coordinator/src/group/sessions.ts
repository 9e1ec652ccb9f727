// Members that fall silent: their session runs out, and the others share what they had.
import { Errors } from '@faultline/protocol'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupShard } from './group-shard.ts'
import type { Member } from './member.ts'
import { completeJoinIfAll, rebalance } from './rebalance.ts'

/** After loading nobody is known to be alive: each member has one session timeout to show that it is. */
export function beginSessions(shard: GroupShard): void {
  for (const group of shard.groups.values()) for (const member of group.members.values()) member.keepSession()
}

export function expireSession(shard: GroupShard, groupId: string, memberId: string): void {
  const group = shard.groups.get(groupId)
  if (!group) return
  if (group.pendingMembers.has(memberId)) {
    group.removePending(memberId)
    return completeJoinIfAll(shard, group)
  }
  const member = group.members.get(memberId)
  if (!member || isExcused(member)) return
  shard.context.emit('group.member-expired', { group: groupId, member: memberId })
  removeMember(group, memberId)
  rebalance(shard, group, `session of ${memberId} expired`)
}

/** Who waits for an answer of ours need not send heartbeats; but a new member whose client is gone must not wait for ever. */
function isExcused(member: Member): boolean {
  return !member.isNew && (member.awaitingJoin !== undefined || member.awaitingSync !== undefined)
}

/** Its client, if it still waits, is told to begin anew. */
export function removeMember(group: ClassicGroup, memberId: string): void {
  const member = group.members.get(memberId)
  member?.answerJoin({ errorCode: Errors.UNKNOWN_MEMBER_ID, memberId: '' })
  member?.answerSync({ errorCode: Errors.UNKNOWN_MEMBER_ID })
  group.remove(memberId)
}
