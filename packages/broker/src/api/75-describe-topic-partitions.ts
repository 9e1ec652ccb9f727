// DescribeTopicPartitions: partitions with their eligible leader replicas, a page at a time (KIP-966).
import { type PartitionState, serverNumber, type TopicState } from '@faultline/controller'
import { describeTopicPartitions, Errors, type RequestOf, type ResponseInput, ZERO_UUID } from '@faultline/protocol'
import { describePartition, isInternalTopic } from './03-metadata.ts'
import { handler, type RequestContext } from './handler.ts'

type Request = RequestOf<typeof describeTopicPartitions>
type Response = ResponseInput<typeof describeTopicPartitions>
type Topic = NonNullable<Response['topics']>[number]

export const describeTopicPartitionsHandler = handler(describeTopicPartitions, (request, context) => {
  const { broker } = context
  const limit = Math.min(request.responsePartitionLimit, serverNumber(broker.statics, 'max.request.partition.size.limit'))
  const topics: Topic[] = []
  let left = limit
  for (const name of names(request, context)) {
    const topic = broker.image.topicsByName.get(name)
    if (!topic) {
      topics.push({
        errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION,
        name,
        topicId: ZERO_UUID,
        isInternal: isInternalTopic(name),
        partitions: [],
      })
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

/** Sorted, without repetition, from the cursor on; no names: all topics. */
function names({ topics, cursor }: Request, { broker }: RequestContext): string[] {
  const asked = topics.length > 0 ? topics.map((t) => t.name) : [...broker.image.topicsByName.keys()]
  return [...new Set(asked)].sort().filter((name) => !cursor || name >= cursor.topicName)
}

function describe(context: RequestContext, topic: TopicState, page: readonly PartitionState[]): Topic {
  const partitions = page.map((p) => ({
    ...describePartition(context, p, 12),
    eligibleLeaderReplicas: [...p.elr],
    lastKnownElr: [...p.lastKnownElr],
  }))
  return { errorCode: Errors.NONE, name: topic.name, topicId: topic.id, isInternal: isInternalTopic(topic.name), partitions }
}
