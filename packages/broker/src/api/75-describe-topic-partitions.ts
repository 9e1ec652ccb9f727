// DescribeTopicPartitions: partitions with their eligible leader replicas, a page at a time (KIP-966).
import { invalidTopicName, type PartitionState, serverNumber, type TopicState } from '@faultline/controller'
import { describeTopicPartitions, Errors, type RequestOf, type ResponseInput, ZERO_UUID } from '@faultline/protocol'
import { describePartition, isInternalTopic } from './03-metadata.ts'
import { handler, type RequestContext } from './handler.ts'

type Request = RequestOf<typeof describeTopicPartitions>
type Response = ResponseInput<typeof describeTopicPartitions>
type Topic = NonNullable<Response['topics']>[number]

export const describeTopicPartitionsHandler = handler(describeTopicPartitions, (request, context) => {
  const { broker } = context
  if (isAstray(request))
    return { topics: request.topics.map(({ name }) => failed(name, Errors.INVALID_REQUEST)), nextCursor: null }
  const topics: Topic[] = []
  const limit = serverNumber(broker.statics, 'max.request.partition.size.limit')
  let left = Math.max(1, Math.min(request.responsePartitionLimit, limit))
  for (const name of names(request, context)) {
    const topic = broker.image.topicsByName.get(name)
    if (!topic) {
      topics.push(failed(name, invalidTopicName(name) ? Errors.INVALID_TOPIC_EXCEPTION : Errors.UNKNOWN_TOPIC_OR_PARTITION))
      continue
    }
    const first = name === request.cursor?.topicName ? request.cursor.partitionIndex : 0
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: first } }
    const page = topic.partitions.slice(first, first + left)
    left -= page.length
    topics.push(describe(context, topic, page))
    const next = first + page.length
    if (next < topic.partitions.length) return { topics, nextCursor: { topicName: name, partitionIndex: next } }
  }
  return { topics, nextCursor: null }
})

/** A cursor that points nowhere, or to a topic that is not asked for. */
function isAstray({ topics, cursor }: Request): boolean {
  if (!cursor) return false
  return cursor.partitionIndex < 0 || (topics.length > 0 && !topics.some((t) => t.name === cursor.topicName))
}

function failed(name: string, errorCode: number): Topic {
  return { errorCode, name, topicId: ZERO_UUID, isInternal: isInternalTopic(name), partitions: [] }
}

/** Sorted, without repetition, from the cursor on; no names: all topics. */
function names({ topics, cursor }: Request, { broker }: RequestContext): string[] {
  const asked = topics.length > 0 ? topics.map((t) => t.name) : [...broker.image.topicsByName.keys()]
  return [...new Set(asked)].sort().filter((name) => !cursor || name >= cursor.topicName)
}

function describe(context: RequestContext, topic: TopicState, page: readonly PartitionState[]): Topic {
  const partitions = page.map((p) => ({
    ...describePartition(context, p, 12),
    // Unlike Metadata it has no error for a partition without a leader: -1 says so.
    errorCode: Errors.NONE,
    eligibleLeaderReplicas: [...p.elr],
    lastKnownElr: [...p.lastKnownElr],
  }))
  return { errorCode: Errors.NONE, name: topic.name, topicId: topic.id, isInternal: isInternalTopic(topic.name), partitions }
}
