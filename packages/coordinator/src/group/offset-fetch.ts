// OffsetFetch: what a group has committed, for the partitions asked for or for all there are.
import { type ErrorCode, Errors, type offsetFetch, type RequestOf, type ResponseInput, ZERO_UUID } from '@faultline/protocol'
import { checkConsumerFetch } from '../consumer-group/check-offsets.ts'
import type { CommittedOffset } from './committed-offsets.ts'
import type { GroupShard } from './group-shard.ts'

export type FetchRequest = RequestOf<typeof offsetFetch>
export type FetchAnswer = ResponseInput<typeof offsetFetch>
/** One group of a request; older versions ask for one group only. */
export type FetchGroup = FetchRequest['groups'][number]
export type FetchedGroup = NonNullable<FetchAnswer['groups']>[number]
type FetchedTopic = NonNullable<FetchedGroup['topics']>[number]

const SEVERAL_GROUPS_SINCE = 8
const TOPIC_IDS_SINCE = 10
const GROUP_ERROR_SINCE = 2

export function groupsOf(request: FetchRequest, version: number): readonly FetchGroup[] {
  if (version >= SEVERAL_GROUPS_SINCE) return request.groups
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
  return [{ groupId: request.groupId, memberId: null, memberEpoch: -1, topics }]
}

/** `requireStable`: a position that an open transaction may change is not told (KIP-447). */
export function fetchOffsets(shard: GroupShard, group: FetchGroup, version: number, requireStable: boolean): FetchedGroup {
  const { groupId, topics } = group
  const consumer = shard.consumerGroups.get(groupId)
  const refused = consumer ? checkConsumerFetch(consumer, group) : Errors.NONE
  if (refused !== Errors.NONE) return fetchRefused(group, refused)
  const byId = version >= TOPIC_IDS_SINCE
  const position = (topic: string, index: number) =>
    requireStable && shard.transactionalOffsets.has(groupId, topic, index)
      ? fetched(index, undefined, Errors.UNSTABLE_OFFSET_COMMIT)
      : fetched(index, shard.offsets.get(groupId, topic, index))
  if (topics === null) return { groupId, errorCode: Errors.NONE, topics: allTopics(shard, groupId, byId, position) }
  return {
    groupId,
    errorCode: Errors.NONE,
    topics: topics.map(({ name, topicId, partitionIndexes }) => {
      const topic = byId ? shard.topics.nameOf(topicId) : name
      const partitions = partitionIndexes.map((index) =>
        topic === undefined ? fetched(index, undefined, Errors.UNKNOWN_TOPIC_ID) : position(topic, index),
      )
      return { name, topicId, partitions }
    }),
  }
}

/** A topic that is gone has no id, and cannot be named where topics go by id. */
function allTopics(
  shard: GroupShard,
  groupId: string,
  byId: boolean,
  position: (topic: string, index: number) => ReturnType<typeof fetched>,
): FetchedTopic[] {
  return [...shard.offsets.topicsOf(groupId)].flatMap(([name, partitions]) => {
    const topicId = shard.topics.idOf(name)
    if (byId && topicId === undefined) return []
    const all = [...partitions.keys()].map((index) => position(name, index))
    return [{ name, topicId: topicId ?? ZERO_UUID, partitions: all }]
  })
}

function fetched(partitionIndex: number, committed: CommittedOffset | undefined, errorCode: ErrorCode = Errors.NONE) {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
    errorCode,
  }
}

export function fetchRefused({ groupId }: FetchGroup, errorCode: ErrorCode): FetchedGroup {
  return { groupId, errorCode, topics: [] }
}

/** In the shape of the version asked in. */
export function fetchAnswer(groups: readonly FetchedGroup[], request: FetchRequest, version: number): FetchAnswer {
  if (version >= SEVERAL_GROUPS_SINCE) return { groups }
  const { errorCode, topics = [] } = groups[0]!
  const older = { topics: topics.map(({ name, partitions }) => ({ name, partitions })) }
  if (errorCode === Errors.NONE || version >= GROUP_ERROR_SINCE) return { ...older, errorCode }
  const refused = (request.topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => fetched(index, undefined, errorCode as ErrorCode)),
  }))
  return { topics: refused }
}
