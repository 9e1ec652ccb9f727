// DescribeQuorum: how far each voter and observer of the metadata quorum is (KIP-595, KIP-836).
import { type describeQuorum, Errors, type RequestOf, type ResponseInput, ZERO_UUID } from '@faultline/protocol'
import type { RaftDriver } from '@faultline/raft'
import type { PlanContext } from '../plan/plan.ts'

const METADATA_TOPIC = '__cluster_metadata'

type Request = RequestOf<typeof describeQuorum>
type Response = ResponseInput<typeof describeQuorum>

export function answerDescribeQuorum(_context: PlanContext, request: Request, raft: RaftDriver): Response {
  const status = raft.status()
  const topics = request.topics.map((topic) => ({
    topicName: topic.topicName,
    partitions: topic.partitions.map(({ partitionIndex }) => {
      if (topic.topicName !== METADATA_TOPIC || partitionIndex !== 0) {
        return {
          partitionIndex,
          errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION,
          leaderId: -1,
          leaderEpoch: -1,
          highWatermark: -1,
          currentVoters: [],
          observers: [],
          errorMessage: null,
        }
      }
      return {
        partitionIndex,
        errorCode: Errors.NONE,
        errorMessage: null,
        leaderId: status.leader,
        leaderEpoch: status.term,
        highWatermark: status.commit,
        currentVoters: status.voters.map((v) => ({
          replicaId: v.id,
          replicaDirectoryId: ZERO_UUID,
          logEndOffset: v.matchIndex,
          lastFetchTimestamp: -1,
          lastCaughtUpTimestamp: -1,
        })),
        observers: [],
      }
    }),
  }))
  return { errorCode: Errors.NONE, errorMessage: null, topics, nodes: [] }
}
