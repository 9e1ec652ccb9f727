// ConsumerGroupDescribe: what an administrator sees of a consumer group.
import { type consumerGroupDescribe, type ErrorCode, Errors, type ResponseInput } from '@faultline/protocol'
import type { Topics } from '../group/config.ts'
import type { GroupShard } from '../group/group-shard.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { partitionList, union } from './partitions.ts'
import { assignorOf } from './target.ts'

export type DescribedConsumerGroup = NonNullable<ResponseInput<typeof consumerGroupDescribe>['groups']>[number]

const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1
/** An id may be as long as a string of the protocol; with words around it, it must still fit into one. */
const SHOWN_ID = 1000

export function describeConsumerGroup(shard: GroupShard, groupId: string): DescribedConsumerGroup {
  const group = shard.consumerGroups.get(groupId)
  const shown = groupId.slice(0, SHOWN_ID)
  if (!group) {
    const errorMessage = shard.groups.has(groupId) ? `Group ${shown} is not a consumer group.` : `Group ${shown} not found.`
    return { groupId, errorCode: Errors.GROUP_ID_NOT_FOUND, errorMessage }
  }
  return {
    errorCode: Errors.NONE,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: assignorOf(group, shard.config.consumer.assignors),
    members: [...group.members.values()].map((member) => describeMember(group, member, shard.topics)),
  }
}

function describeMember(group: ConsumerGroup, member: ConsumerMember, topics: Topics) {
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.subscribedTopicNames],
    subscribedTopicRegex: member.subscribedTopicRegex,
    // It has what it is to give up until it says that it did.
    assignment: { topicPartitions: named(union(member.assigned, member.pendingRevocation), topics) },
    targetAssignment: { topicPartitions: named(group.targetOf(member.id), topics) },
    memberType: member.classic === null ? CONSUMER_MEMBER : CLASSIC_MEMBER,
  }
}

/** Topics that are gone have no name. */
function named(partitions: Parameters<typeof partitionList>[0], topics: Topics) {
  return partitionList(partitions).flatMap((topic) => {
    const topicName = topics.nameOf(topic.topicId)
    return topicName === undefined ? [] : [{ ...topic, topicName }]
  })
}

export function describeConsumerRefused(groupId: string, errorCode: ErrorCode): DescribedConsumerGroup {
  return { groupId, errorCode }
}
