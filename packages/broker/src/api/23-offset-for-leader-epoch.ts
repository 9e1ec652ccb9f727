// OffsetForLeaderEpoch: where an epoch ended, so that a consumer finds out whether its position was truncated away (KIP-320).
import { Errors, offsetForLeaderEpoch } from '@faultline/protocol'
import { handler } from './handler.ts'

export const offsetForLeaderEpochHandler = handler(offsetForLeaderEpoch, (request, { broker }) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const failed = (errorCode: number) => ({ errorCode, partition: index, leaderEpoch: -1, endOffset: -1 })
      const partition = broker.replicas.byName(topic, index)
      if (!partition)
        return failed(broker.hasPartition(topic, index) ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION)
      const refused = partition.checkEpoch(currentLeaderEpoch)
      if (refused !== Errors.NONE) return failed(refused)
      if (!partition.leads) return failed(Errors.NOT_LEADER_OR_FOLLOWER)
      const end = partition.log.endOffsetForEpoch(leaderEpoch)
      return { errorCode: Errors.NONE, partition: index, leaderEpoch: end.epoch, endOffset: end.endOffset }
    }),
  })),
}))
