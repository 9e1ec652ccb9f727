// DescribeProducers: the producers that a partition remembers (KIP-664).
import { invalidTopicName } from '@faultline/controller'
import { describeProducers, type ErrorCode, Errors } from '@faultline/protocol'
import type { Broker } from '../broker.ts'
import { handler } from './handler.ts'

export const describeProducersHandler = handler(describeProducers, (request, { broker }) => ({
  topics: request.topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => {
      const partition = broker.replicas.byName(name, partitionIndex)
      if (partition?.leads) return { partitionIndex, errorCode: Errors.NONE, activeProducers: partition.log.activeProducers() }
      return { partitionIndex, ...unknown(broker, name, partitionIndex), activeProducers: [] }
    }),
  })),
}))

function unknown(
  broker: Broker,
  topic: string,
  partition: number,
): { readonly errorCode: ErrorCode; readonly errorMessage?: string } {
  const errorMessage = invalidTopicName(topic)
  if (errorMessage) return { errorCode: Errors.INVALID_TOPIC_EXCEPTION, errorMessage }
  if (!broker.image.topicsByName.has(topic))
    return { errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: 'This server does not host this topic-partition.' }
  const known = broker.hasPartition(topic, partition)
  return { errorCode: known ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION }
}
