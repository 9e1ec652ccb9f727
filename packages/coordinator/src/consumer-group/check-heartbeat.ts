// What is wrong with a ConsumerGroupHeartbeat, before any group is looked at; and what is wrong with the epoch that it comes with.
import { type consumerGroupHeartbeat, Errors, type RequestOf } from '@faultline/protocol'
import type { ConsumerGroupConfig } from '../group/config.ts'
import { type ConsumerMember, JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from './consumer-member.ts'
import { type GroupError, groupError } from './group-plan.ts'
import { isSubset } from './partitions.ts'

export type HeartbeatRequest = RequestOf<typeof consumerGroupHeartbeat>

/** Since here members choose their id. */
const OWN_MEMBER_ID_SINCE = 1

export function checkHeartbeat(request: HeartbeatRequest, version: number, config: ConsumerGroupConfig): GroupError | undefined {
  const wrong = wrongWith(request, version)
  if (wrong !== undefined) return groupError(Errors.INVALID_REQUEST, wrong)
  const { serverAssignor } = request
  if (serverAssignor === null || config.assignors.includes(serverAssignor)) return undefined
  const names = config.assignors.join(', ')
  return groupError(
    Errors.UNSUPPORTED_ASSIGNOR,
    `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${names}.`,
  )
}

function wrongWith(request: HeartbeatRequest, version: number): string | undefined {
  const { memberId, memberEpoch, instanceId } = request
  if (version >= OWN_MEMBER_ID_SINCE && memberId === '') return "MemberId can't be empty."
  if (request.groupId === '') return "GroupId can't be empty."
  if (instanceId === '') return "InstanceId can't be empty."
  if (request.rackId === '') return "RackId can't be empty."
  if (memberEpoch === JOIN_EPOCH) return wrongWithJoin(request)
  if (memberEpoch < STATIC_LEAVE_EPOCH) return 'MemberEpoch is invalid.'
  if (memberId === '') return "MemberId can't be empty."
  return memberEpoch === STATIC_LEAVE_EPOCH && instanceId === null ? "InstanceId can't be null." : undefined
}

function wrongWithJoin(request: HeartbeatRequest): string | undefined {
  if (request.rebalanceTimeoutMs === -1) return 'RebalanceTimeoutMs must be provided in first request.'
  if (request.topicPartitions === null || request.topicPartitions.length > 0)
    return 'TopicPartitions must be empty when (re-)joining.'
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null)
    return 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'
  return undefined
}

/** The answer with the last epoch may have been lost: then the member comes with the one before, and has nothing that is not its own. */
export function checkEpoch(member: ConsumerMember, request: HeartbeatRequest): GroupError | undefined {
  const { memberEpoch: epoch, topicPartitions } = request
  if (epoch === member.epoch) return undefined
  const wasBefore = epoch < member.epoch && epoch === member.previousEpoch
  if (wasBefore && topicPartitions !== null && isSubset(topicPartitions, member.assigned)) return undefined
  const comparison = epoch > member.epoch ? 'greater' : 'smaller'
  return groupError(
    Errors.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${comparison} member epoch (${epoch}) than the one known by the group coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`,
  )
}

export function isLeaving({ memberEpoch }: HeartbeatRequest): boolean {
  return memberEpoch === LEAVE_EPOCH || memberEpoch === STATIC_LEAVE_EPOCH
}
