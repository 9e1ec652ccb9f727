// DescribeQuorum: how far each voter and observer of the metadata quorum is (KIP-595, KIP-836).
import { type describeQuorum, Errors, type RequestOf, type ResponseInput, ZERO_UUID } from '@faultline/protocol'
import type { MemberStatus, RaftStatus } from '@faultline/raft'

const METADATA_TOPIC = '__cluster_metadata'

/** A broker that follows the metadata log, from its heartbeats. */
export interface Observer {
  readonly id: number
  /** Of the last record that it has replayed; -1 when it has not said. */
  readonly metadataOffset: number
  /** Wall time of its last heartbeat. */
  readonly lastContact: number
}

export interface QuorumView {
  readonly raft: RaftStatus
  readonly observers: readonly Observer[]
  /** Wall time. */
  readonly now: number
}

type Request = RequestOf<typeof describeQuorum>
type Response = ResponseInput<typeof describeQuorum>
type Partition = NonNullable<NonNullable<Response['topics']>[number]['partitions']>[number]
type ReplicaState = NonNullable<Partition['currentVoters']>[number]

export function answerDescribeQuorum(request: Request, view: QuorumView): Response {
  const topics = request.topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(({ partitionIndex }) =>
      topicName === METADATA_TOPIC && partitionIndex === 0 ? describe(view) : unknown(partitionIndex),
    ),
  }))
  return { errorCode: Errors.NONE, errorMessage: null, topics, nodes: [] }
}

function describe({ raft, observers, now }: QuorumView): Partition {
  const member = ({ id, matchIndex, lastContactMs }: MemberStatus) =>
    replica(id, matchIndex, lastContactMs < 0 ? -1 : Math.floor(now - lastContactMs), raft.lastIndex)
  return {
    partitionIndex: 0,
    errorCode: Errors.NONE,
    errorMessage: null,
    leaderId: raft.leader,
    leaderEpoch: raft.term,
    highWatermark: raft.commit + 1,
    currentVoters: raft.voters.map(member),
    observers: [
      ...raft.learners.map(member),
      ...observers.map(({ id, metadataOffset, lastContact }) => replica(id, metadataOffset, lastContact, raft.lastIndex)),
    ],
  }
}

/** Offsets of Kafka's logs end one after the last record. When a replica was caught up last is known only while it is. */
function replica(id: number, last: number, heardOf: number, leaderLast: number): ReplicaState {
  return {
    replicaId: id,
    replicaDirectoryId: ZERO_UUID,
    logEndOffset: last < 0 ? -1 : last + 1,
    lastFetchTimestamp: heardOf,
    lastCaughtUpTimestamp: last >= leaderLast ? heardOf : -1,
  }
}

function unknown(partitionIndex: number): Partition {
  return {
    partitionIndex,
    errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage: null,
    leaderId: -1,
    leaderEpoch: -1,
    highWatermark: -1,
    currentVoters: [],
    observers: [],
  }
}
