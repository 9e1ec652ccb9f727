// A static member that was away comes back: whoever has its instance id takes its place, with what it had, under a new member id.
import { Errors } from '@faultline/protocol'
import { type ConsumerMember, STATIC_LEAVE_EPOCH } from './consumer-member.ts'
import { assignmentRecord, memberRecord, memberTombstones, targetRecord } from './consumer-records.ts'
import { type GroupError, groupError, type GroupPlan } from './group-plan.ts'

export interface Replacement {
  readonly member: ConsumerMember
  readonly replaced: string
}

/** Of two that speak the consumer protocol, the first must have said that it goes away. */
export function takePlaceOf(plan: GroupPlan, holder: ConsumerMember, memberId: string): Replacement | GroupError {
  if (holder.classic === null && holder.epoch !== STATIC_LEAVE_EPOCH) {
    const message = `Static member ${memberId} with instance id ${holder.instanceId} cannot join the group because the instance id is owned by ${holder.id} member.`
    return groupError(Errors.UNRELEASED_INSTANCE_ID, message)
  }
  return replaceMember(plan, holder, memberId)
}

export function replaceMember({ group, records }: GroupPlan, holder: ConsumerMember, memberId: string): Replacement {
  const member = { ...holder, id: memberId, epoch: 0, previousEpoch: 0 }
  records.push(
    ...memberTombstones(group.id, holder.id),
    memberRecord(group.id, member),
    targetRecord(group.id, memberId, group.targetOf(holder.id)),
    assignmentRecord(group.id, member),
  )
  return { member, replaced: holder.id }
}
