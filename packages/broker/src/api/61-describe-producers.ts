// DescribeProducers: the producers that a partition remembers (KIP-664).
import { describeProducers, Errors } from '@faultline/protocol'
import { handler } from './handler.ts'

export const describeProducersHandler = handler(describeProducers, (request, { broker }) => ({
  topics: request.topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => {
      const partition = broker.replicas.byName(name, partitionIndex)
      if (partition?.leads) return { partitionIndex, errorCode: Errors.NONE, activeProducers: partition.log.activeProducers() }
      const known = broker.hasPartition(name, partitionIndex)
      return {
        partitionIndex,
        errorCode: known ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION,
        activeProducers: [],
      }
    }),
  })),
}))
