// The records of consumer groups as they are written: Kafka's keys and values, built from what a planner knows.
import { encodeConsumerGroupRecord as encode } from '@faultline/protocol'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import type { ConsumerGroup, ResolvedRegex } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { ownedList, partitionList, type Partitions } from './partitions.ts'

export function epochRecord(groupId: string, epoch: number, metadataHash: number): CoordinatorRecord {
  return encode('ConsumerGroupMetadata', { groupId }, { epoch, metadataHash })
}

export function memberRecord(groupId: string, member: ConsumerMember): CoordinatorRecord {
  const { instanceId, rackId, clientId, clientHost, subscribedTopicRegex, rebalanceTimeoutMs, serverAssignor } = member
  return encode(
    'ConsumerGroupMemberMetadata',
    { groupId, memberId: member.id },
    {
      instanceId,
      rackId,
      clientId,
      clientHost,
      subscribedTopicNames: [...member.subscribedTopicNames].sort(),
      subscribedTopicRegex,
      rebalanceTimeoutMs,
      serverAssignor,
      classicMemberMetadata: member.classic,
    },
  )
}

export function assignmentEpochRecord(groupId: string, assignmentEpoch: number, assignmentTimestamp: number): CoordinatorRecord {
  return encode('ConsumerGroupTargetAssignmentMetadata', { groupId }, { assignmentEpoch, assignmentTimestamp })
}

export function targetRecord(groupId: string, memberId: string, target: Partitions): CoordinatorRecord {
  return encode('ConsumerGroupTargetAssignmentMember', { groupId, memberId }, { topicPartitions: partitionList(target) })
}

export function assignmentRecord(groupId: string, member: ConsumerMember): CoordinatorRecord {
  return encode(
    'ConsumerGroupCurrentMemberAssignment',
    { groupId, memberId: member.id },
    {
      memberEpoch: member.epoch,
      previousMemberEpoch: member.previousEpoch,
      state: member.state,
      assignedPartitions: ownedList(member.assigned),
      partitionsPendingRevocation: ownedList(member.pendingRevocation),
    },
  )
}

export function regexRecord(groupId: string, regularExpression: string, resolved: ResolvedRegex): CoordinatorRecord {
  const { topics, version, timestamp } = resolved
  const value = { topics: [...topics].sort(), version, timestamp }
  return encode('ConsumerGroupRegularExpression', { groupId, regularExpression }, value)
}

export function regexTombstone(groupId: string, regularExpression: string): CoordinatorRecord {
  return encode('ConsumerGroupRegularExpression', { groupId, regularExpression }, null)
}

export function memberTombstones(groupId: string, memberId: string): CoordinatorRecord[] {
  return [
    encode('ConsumerGroupCurrentMemberAssignment', { groupId, memberId }, null),
    encode('ConsumerGroupTargetAssignmentMember', { groupId, memberId }, null),
    encode('ConsumerGroupMemberMetadata', { groupId, memberId }, null),
  ]
}

/** All that there is of a group goes. */
export function groupTombstones({ id: groupId, members, regexes }: ConsumerGroup): CoordinatorRecord[] {
  return [
    ...[...members.keys()].flatMap((memberId) => memberTombstones(groupId, memberId)),
    ...[...regexes.keys()].map((regex) => regexTombstone(groupId, regex)),
    encode('ConsumerGroupTargetAssignmentMetadata', { groupId }, null),
    // Kafka up to 4.0 wrote such a record.
    encode('ConsumerGroupPartitionMetadata', { groupId }, null),
    encode('ConsumerGroupMetadata', { groupId }, null),
  ]
}
