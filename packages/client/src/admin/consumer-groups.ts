// What the coordinator of a KIP-848 group knows: epochs, and what each member has and is to have.
import { consumerGroupDescribe, Errors, type ResponseOf } from '@faultline/protocol'
import type { ClusterClient } from '../cluster-client.ts'
import { ask, check } from './ask.ts'
import type { GroupDescription, GroupMember } from './groups.ts'
import type { TopicPartition } from './leaders.ts'

type Member = ResponseOf<typeof consumerGroupDescribe>['groups'][number]['members'][number]

export async function describeConsumers(
  client: ClusterClient,
  coordinator: number,
  groupIds: readonly string[],
): Promise<[string, GroupDescription][]> {
  const request = { groupIds, includeAuthorizedOperations: false }
  const reply = groupIds.length === 0 ? { groups: [] } : await ask(client.broker(coordinator), consumerGroupDescribe, request)
  return reply.groups.flatMap((group): [string, GroupDescription][] => {
    if (group.errorCode === Errors.GROUP_ID_NOT_FOUND) return []
    check(group.errorCode, `group ${group.groupId}`)
    const { groupId, groupState, assignorName, groupEpoch, assignmentEpoch } = group
    const epochs = { group: groupEpoch, assignment: assignmentEpoch }
    return [[groupId, { state: groupState, assignor: assignorName, members: group.members.map(memberOf), epochs }]]
  })
}

function memberOf({
  memberId,
  instanceId,
  clientId,
  clientHost,
  memberEpoch,
  assignment,
  targetAssignment,
}: Member): GroupMember {
  const assigned = partitionsOf(assignment)
  return {
    memberId,
    instanceId,
    clientId,
    host: clientHost,
    assigned,
    target: partitionsOf(targetAssignment),
    epoch: memberEpoch,
  }
}

function partitionsOf({ topicPartitions }: Member['assignment']): TopicPartition[] {
  return topicPartitions.flatMap(({ topicName, partitions }) => partitions.map((partition) => ({ topic: topicName, partition })))
}
