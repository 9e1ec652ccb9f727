// Members go: they leave, fall silent, or take too long. What they had is free then, and the others share it at their next heartbeats.
import { type ErrorCode, Errors } from '@faultline/protocol'
import type { GroupShard } from '../group/group-shard.ts'
import { assignmentEpochRecord, memberTombstones } from './consumer-records.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { canDowngrade, downgrade } from './downgrade.ts'
import { bumpEpoch, carryOut, type GroupPlan, planFor } from './group-plan.ts'
import { metadataHash, topicsOfAll } from './subscriptions.ts'
import { forgottenRegexes } from './update-member.ts'

/** False when the log refused it. */
export function fenceSilent(shard: GroupShard, groupId: string, memberId: string, reason: string): boolean {
  const group = shard.consumerGroups.get(groupId)
  const member = group?.members.get(memberId)
  if (!group || !member) return true
  const error = removeMembers(planFor(shard, group), [member], `${memberId} was fenced because ${reason}`)
  if (error !== Errors.NONE) return false
  shard.context.emit('group.member-expired', { group: groupId, member: memberId, reason })
  return true
}

/** When the last of those goes who speak the consumer protocol, the group may become a classic one. */
export function removeMembers(plan: GroupPlan, leaving: readonly ConsumerMember[], reason: string): ErrorCode {
  if (canDowngrade(plan, leaving)) return downgrade(plan, leaving, reason)
  planRemoval(plan, leaving)
  return carryOut(plan, reason)
}

function planRemoval(plan: GroupPlan, leaving: readonly ConsumerMember[]): void {
  const { group, records, shard } = plan
  const stay = [...group.members.values()].filter((member) => !leaving.includes(member))
  for (const { id } of leaving) records.push(...memberTombstones(group.id, id))
  records.push(...forgottenRegexes(plan, leaving))
  const epoch = bumpEpoch(plan, metadataHash(topicsOfAll(stay, group.regexes), shard.topics))
  // Nothing is left to be assigned: the target of an empty group is made, and does not hold up the next member.
  if (stay.length === 0) records.push(assignmentEpochRecord(group.id, epoch, 0))
}
