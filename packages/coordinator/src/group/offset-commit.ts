// OffsetCommit: positions are written if whoever asks is a member of the current generation, or the group has none.
import { type ErrorCode, Errors, type offsetCommit, type RequestOf, type ResponseInput, ZERO_UUID } from '@faultline/protocol'
import { checkConsumerCommit, committedPartitions } from '../consumer-group/check-offsets.ts'
import { coordinatorError } from '../runtime/append-error.ts'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import { checkCommit } from './check-commit.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupClient } from './config.ts'
import { offsetRecord } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'

export type CommitRequest = RequestOf<typeof offsetCommit>
type CommitAnswer = ResponseInput<typeof offsetCommit>
type Partition = CommitRequest['topics'][number]['partitions'][number]
/** How OffsetCommit and TxnOffsetCommit name positions. */
type Positions = Pick<CommitRequest, 'groupId' | 'topics'>

/** Since here topics come by id. */
const TOPIC_IDS_SINCE = 10

export function commit(shard: GroupShard, request: CommitRequest, client: GroupClient): CommitAnswer {
  const byId = client.version >= TOPIC_IDS_SINCE
  const consumer = shard.consumerGroups.get(request.groupId)
  const refused = consumer
    ? checkConsumerCommit(consumer, request, committedPartitions(shard, request.topics, byId), client.version)
    : checkCommit(shard.groups.get(request.groupId), request, client.version)
  const now = shard.context.clock.wall()
  const { retentionTimeMs } = request
  const plan = planCommit(shard, request, {
    byId,
    refused,
    expireTimestamp: retentionTimeMs < 0 ? -1 : Math.min(now + retentionTimeMs, Number.MAX_SAFE_INTEGER),
  })
  keepSession(shard.groups.get(request.groupId), request)
  return plan.written((records) => shard.context.append(records))
}

export interface CommitScope {
  readonly byId: boolean
  /** Why none of it may be committed, or NONE. */
  readonly refused: ErrorCode
  /** -1 for what the configuration says. */
  readonly expireTimestamp: number
}

/** The records that a commit comes to, and its answer once they are written: what is wrong with a position fails that one only. */
export function planCommit(shard: GroupShard, request: Positions, { byId, refused, expireTimestamp }: CommitScope) {
  const records: CoordinatorRecord[] = []
  const accepted: { errorCode: ErrorCode }[] = []
  const topics = request.topics.map((topic) => {
    const name = byId ? shard.topics.nameOf(topic.topicId) : topic.name
    const partitions = topic.partitions.map((partition) => {
      const errorCode = checkPartition(shard, name, partition)
      const answer = { partitionIndex: partition.partitionIndex, errorCode: errorCode === Errors.NONE ? refused : errorCode }
      if (answer.errorCode !== Errors.NONE) return answer
      records.push(recordOf(shard, request.groupId, name!, partition, expireTimestamp))
      accepted.push(answer)
      return answer
    })
    return { name: topic.name, topicId: topic.topicId, partitions }
  })
  const written = (append: (records: readonly CoordinatorRecord[]) => ErrorCode): CommitAnswer => {
    const error = records.length === 0 ? Errors.NONE : commitError(append(records))
    for (const answer of accepted) answer.errorCode = error
    return { topics }
  }
  return { written }
}

/** The answer when there is no coordinator to ask. */
export function commitRefused(request: Positions, errorCode: ErrorCode): CommitAnswer {
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

function keepSession(group: ClassicGroup | undefined, { memberId, generationIdOrMemberEpoch: generation }: CommitRequest): void {
  if (group && generation === group.generation && group.state !== 'CompletingRebalance')
    group.members.get(memberId)?.keepSession()
}

function checkPartition(shard: GroupShard, topic: string | undefined, partition: Partition): ErrorCode {
  if (topic === undefined) return Errors.UNKNOWN_TOPIC_ID
  if (!shard.topics.hasPartition(topic, partition.partitionIndex)) return Errors.UNKNOWN_TOPIC_OR_PARTITION
  const length = partition.committedMetadata?.length ?? 0
  return length > shard.config.maxMetadataLength ? Errors.OFFSET_METADATA_TOO_LARGE : Errors.NONE
}

function recordOf(
  shard: GroupShard,
  groupId: string,
  topic: string,
  partition: Partition,
  expireTimestamp: number,
): CoordinatorRecord {
  return offsetRecord(groupId, topic, partition.partitionIndex, {
    offset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    metadata: partition.committedMetadata ?? '',
    commitTimestamp: shard.context.clock.wall(),
    expireTimestamp,
    topicId: shard.topics.idOf(topic) ?? ZERO_UUID,
  })
}

/** A commit of too many offsets at once is the client's doing, and has its own error. */
function commitError(append: ErrorCode): ErrorCode {
  const tooLarge = append === Errors.MESSAGE_TOO_LARGE || append === Errors.RECORD_LIST_TOO_LARGE
  return tooLarge ? Errors.INVALID_COMMIT_OFFSET_SIZE : coordinatorError(append)
}
