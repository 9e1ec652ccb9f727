// Who may commit and read positions of a consumer group: a member in its epoch. A commit with an older epoch still counts if the member has
// had all of the partitions since then: what it read it did read (KIP-1251).
import { type ErrorCode, Errors } from '@faultline/protocol'
import type { GroupShard } from '../group/group-shard.ts'
import type { CommitRequest } from '../group/offset-commit.ts'
import type { FetchGroup } from '../group/offset-fetch.ts'
import type { TransactionalCommitRequest } from '../group/txn-offset-commit.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'

/** Since here a commit has a member's epoch. */
const MEMBER_EPOCH_SINCE = 9

export interface CommittedPartition {
  readonly topicId: string
  readonly partition: number
}

/** Of topics that there are. */
export function committedPartitions(
  { topics }: GroupShard,
  committed: CommitRequest['topics'],
  byId: boolean,
): CommittedPartition[] {
  return committed.flatMap(({ name, topicId: given, partitions }) => {
    const topicId = byId ? given : topics.idOf(name)
    return topicId === undefined ? [] : partitions.map((p) => ({ topicId, partition: p.partitionIndex }))
  })
}

export function checkConsumerCommit(
  group: ConsumerGroup,
  { memberId, generationIdOrMemberEpoch: epoch }: CommitRequest,
  partitions: readonly CommittedPartition[],
  version: number,
): ErrorCode {
  const isNewer = group.members.get(memberId)?.classic === null
  if (isNewer && version < MEMBER_EPOCH_SINCE) return Errors.UNSUPPORTED_VERSION
  return checkMember(group, memberId, epoch, partitions)
}

/** A producer does not know of epochs: to it one that is stale is a generation that is over. */
export function checkTransactionalConsumerCommit(
  group: ConsumerGroup,
  { memberId, generationIdOrMemberEpoch: epoch }: TransactionalCommitRequest,
  partitions: readonly CommittedPartition[],
): ErrorCode {
  const error = checkMember(group, memberId, epoch, partitions)
  return error === Errors.STALE_MEMBER_EPOCH ? Errors.ILLEGAL_GENERATION : error
}

/** One partition that is refused refuses all. */
function checkMember(
  group: ConsumerGroup,
  memberId: string,
  epoch: number,
  partitions: readonly CommittedPartition[],
): ErrorCode {
  // Whoever assigns partitions itself, or an administrator.
  if (epoch < 0 && group.members.size === 0) return Errors.NONE
  const member = group.members.get(memberId)
  if (!member) return Errors.UNKNOWN_MEMBER_ID
  if (epoch === member.epoch) return Errors.NONE
  const isGood = epoch < member.epoch && partitions.every((p) => hadSince(member, epoch, p))
  return isGood ? Errors.NONE : staleError(member)
}

function hadSince(member: ConsumerMember, epoch: number, { topicId, partition }: CommittedPartition): boolean {
  const { assigned, pendingRevocation } = member
  const since = assigned.get(topicId)?.get(partition) ?? pendingRevocation.get(topicId)?.get(partition)
  return since !== undefined && epoch >= since
}

export function checkConsumerFetch(group: ConsumerGroup, { memberId, memberEpoch }: FetchGroup): ErrorCode {
  if (memberId === null && memberEpoch < 0) return Errors.NONE
  const member = group.members.get(memberId ?? '')
  if (!member) return Errors.UNKNOWN_MEMBER_ID
  return memberEpoch === member.epoch ? Errors.NONE : staleError(member)
}

function staleError({ classic }: ConsumerMember): ErrorCode {
  return classic === null ? Errors.STALE_MEMBER_EPOCH : Errors.ILLEGAL_GENERATION
}
