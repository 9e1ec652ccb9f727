// DeleteGroups: an empty group goes, with all its positions (KIP-229), those in open transactions, too.
import { type ErrorCode, Errors } from '@faultline/protocol'
import { groupTombstones } from '../consumer-group/consumer-records.ts'
import { coordinatorError } from '../runtime/append-error.ts'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import { groupTombstone, offsetTombstone } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'

export function deleteGroup(shard: GroupShard, groupId: string): ErrorCode {
  const consumer = shard.consumerGroups.get(groupId)
  const group = consumer ?? shard.groups.get(groupId)
  if (!group) return Errors.GROUP_ID_NOT_FOUND
  if (group.state !== 'Empty') return Errors.NON_EMPTY_GROUP
  const records: CoordinatorRecord[] = []
  for (const [topic, partitions] of shard.offsets.topicsOf(groupId))
    for (const partition of partitions.keys()) records.push(offsetTombstone(groupId, topic, partition))
  for (const { topic, partition } of shard.transactionalOffsets.of(groupId))
    if (!shard.offsets.get(groupId, topic, partition)) records.push(offsetTombstone(groupId, topic, partition))
  if (consumer) records.push(...groupTombstones(consumer))
  else records.push(groupTombstone(groupId))
  return coordinatorError(shard.context.appendInParts(records))
}
