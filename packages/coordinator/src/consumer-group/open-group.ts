// The group that a first member of the consumer protocol joins: a new one, one that takes the place of an empty classic group, or a classic
// group that goes on as a consumer group with the members that it has (KIP-848, online upgrade).
import { Errors } from '@faultline/protocol'
import type { ClassicGroup } from '../group/classic-group.ts'
import { groupTombstone } from '../group/group-records.ts'
import type { GroupShard } from '../group/group-shard.ts'
import { CONSUMER } from '../group/protocols.ts'
import { type GroupError, groupError, type GroupPlan, planForNew } from './group-plan.ts'
import { upgradeRecords } from './upgrade.ts'

export function openForConsumer(shard: GroupShard, groupId: string): GroupPlan | GroupError {
  const classic = shard.groups.get(groupId)
  if (!classic) return planForNew(shard, groupId, [])
  const tombstone = groupTombstone(groupId)
  if (classic.members.size === 0) return planForNew(shard, groupId, [tombstone])
  const obstacle = obstacleTo(shard, classic)
  const records = obstacle === undefined ? upgradeRecords(shard, classic) : undefined
  if (records) return planForNew(shard, groupId, [tombstone], records)
  const why = obstacle ?? 'the embedded consumer protocol is malformed'
  return groupError(Errors.GROUP_ID_NOT_FOUND, `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`)
}

function obstacleTo({ config }: GroupShard, classic: ClassicGroup): string | undefined {
  const { migrationPolicy, maxSize } = config.consumer
  if (migrationPolicy !== 'bidirectional' && migrationPolicy !== 'upgrade') return 'the online upgrade is disabled'
  if (classic.protocolType !== CONSUMER) return 'the group does not use the consumer embedded protocol'
  return classic.members.size > maxSize ? 'the group size exceeds the consumer group maximum size' : undefined
}
