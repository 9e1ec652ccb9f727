// What a record changes in a consumer group. Records of a member may come in any order: compaction keeps the last one of each key.
import { type ConsumerGroupRecord, MalformedError } from '@faultline/protocol'
import { subscriptionOf } from './classic-protocol.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { LEAVE_EPOCH, newMember, withAssignment, withMetadata } from './consumer-member.ts'
import { NOTHING_OWNED, partitionsFrom } from './partitions.ts'

/** True when the group is gone with it. */
export function replayInto(group: ConsumerGroup, record: ConsumerGroupRecord): boolean {
  switch (record.type) {
    case 'ConsumerGroupMetadata':
      if (record.value === null) return true
      group.epoch = record.value.epoch
      group.metadataHash = record.value.metadataHash
      return false
    case 'ConsumerGroupTargetAssignmentMetadata':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? -1
      group.assignmentTimestamp = record.value?.assignmentTimestamp ?? 0
      return false
    case 'ConsumerGroupTargetAssignmentMember':
      if (record.value === null) group.targets.delete(record.key.memberId)
      else group.targets.set(record.key.memberId, partitionsFrom(record.value.topicPartitions))
      return false
    case 'ConsumerGroupMemberMetadata':
      return replayMember(group, record)
    case 'ConsumerGroupCurrentMemberAssignment':
      return replayAssignment(group, record)
    case 'ConsumerGroupRegularExpression':
      return replayRegex(group, record)
    case 'ConsumerGroupPartitionMetadata':
      return false
  }
}

type RecordOf<T extends ConsumerGroupRecord['type']> = Extract<ConsumerGroupRecord, { type: T }>

function replayMember(group: ConsumerGroup, { key, value }: RecordOf<'ConsumerGroupMemberMetadata'>): boolean {
  if (value === null) {
    group.removeMember(key.memberId)
    return false
  }
  const classic = value.classicMemberMetadata
  if (classic && !subscriptionOf(classic.supportedProtocols)) throw new MalformedError(`member ${key.memberId}: no subscription`)
  group.setMember(withMetadata(group.members.get(key.memberId) ?? newMember(key.memberId), value))
  return false
}

function replayAssignment(group: ConsumerGroup, { key, value }: RecordOf<'ConsumerGroupCurrentMemberAssignment'>): boolean {
  const member = group.members.get(key.memberId)
  if (value !== null) group.setMember(withAssignment(member ?? newMember(key.memberId), value))
  else if (member) {
    const nothing = { assigned: NOTHING_OWNED, pendingRevocation: NOTHING_OWNED }
    group.setMember({ ...member, ...nothing, epoch: LEAVE_EPOCH, previousEpoch: LEAVE_EPOCH })
  }
  return false
}

function replayRegex(group: ConsumerGroup, { key, value }: RecordOf<'ConsumerGroupRegularExpression'>): boolean {
  if (value === null) group.regexes.delete(key.regularExpression)
  else group.regexes.set(key.regularExpression, { ...value, topics: new Set(value.topics) })
  return false
}
