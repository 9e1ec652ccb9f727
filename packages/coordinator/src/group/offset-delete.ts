// OffsetDelete: forgets positions in topics that the group does not read (KIP-496); and what goes when a topic is deleted.
import { type ErrorCode, Errors, type offsetDelete, type RequestOf, type ResponseInput, ZERO_UUID } from '@faultline/protocol'
import { isRead } from '../consumer-group/subscriptions.ts'
import { coordinatorError } from '../runtime/append-error.ts'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import { offsetTombstone } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'
import { CONSUMER, isSubscribed } from './protocols.ts'

type DeleteRequest = RequestOf<typeof offsetDelete>
type DeleteAnswer = ResponseInput<typeof offsetDelete>

export function deleteOffsets(shard: GroupShard, request: DeleteRequest): DeleteAnswer {
  const { groupId } = request
  const reads = readerIn(shard, groupId)
  if (typeof reads === 'number') return { errorCode: reads }
  const records: CoordinatorRecord[] = []
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      const errorCode = checkDelete(shard, reads, name, partitionIndex)
      if (errorCode === Errors.NONE && isKnown(shard, groupId, name, partitionIndex))
        records.push(offsetTombstone(groupId, name, partitionIndex))
      return { partitionIndex, errorCode }
    }),
  }))
  const error = coordinatorError(shard.context.appendInParts(records))
  return error === Errors.NONE ? { errorCode: error, topics } : { errorCode: error }
}

function isKnown({ offsets, transactionalOffsets }: GroupShard, group: string, topic: string, partition: number): boolean {
  return offsets.get(group, topic, partition) !== undefined || transactionalOffsets.has(group, topic, partition)
}

type Reads = (topic: string) => boolean

/** Whether the group reads a topic; or why it may not be asked. */
function readerIn(shard: GroupShard, groupId: string): Reads | ErrorCode {
  const consumer = shard.consumerGroups.get(groupId)
  if (consumer) return (topic) => isRead(consumer, topic)
  const group = shard.groups.get(groupId)
  if (!group) return Errors.GROUP_ID_NOT_FOUND
  if (group.state !== 'Empty' && group.protocolType !== CONSUMER) return Errors.NON_EMPTY_GROUP
  return (topic) => isSubscribed(group, topic)
}

function checkDelete(shard: GroupShard, reads: Reads, topic: string, partition: number): ErrorCode {
  if (!shard.topics.hasPartition(topic, partition)) return Errors.UNKNOWN_TOPIC_OR_PARTITION
  return reads(topic) ? Errors.GROUP_SUBSCRIBED_TO_TOPIC : Errors.NONE
}

/** Topics are gone, and all positions in them. One of the same name that came later keeps its own. */
export function forgetTopics(shard: GroupShard, deleted: ReadonlyMap<string, string>): void {
  const records: CoordinatorRecord[] = []
  for (const group of shard.offsets.groups) {
    for (const [topic, partitions] of shard.offsets.topicsOf(group)) {
      const id = deleted.get(topic)
      if (id === undefined) continue
      for (const [partition, { topicId }] of partitions)
        if (topicId === ZERO_UUID || topicId === id) records.push(offsetTombstone(group, topic, partition))
    }
  }
  for (const { group, topic, partition, committed } of shard.transactionalOffsets.all())
    if (deleted.get(topic) === committed.topicId) records.push(offsetTombstone(group, topic, partition))
  // If the log refuses them, they go when they expire.
  shard.context.appendInParts(records)
}
