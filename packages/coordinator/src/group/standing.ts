// How a group, its members and its positions stand in this moment, for whoever watches: what is replayed, committed or not.
import type { GroupShard } from './group-shard.ts'

export interface GroupStanding {
  readonly state: string
  readonly generation: number
  readonly members: number
}

export function groupStanding(shard: GroupShard, id: string): GroupStanding | undefined {
  const consumer = shard.consumerGroups.get(id)
  if (consumer) return { state: consumer.state, generation: consumer.epoch, members: consumer.members.size }
  const classic = shard.groups.get(id)
  return classic && { state: classic.state, generation: classic.generation, members: classic.members.size }
}

/** How many members have this member id, instance id or client id. */
export function memberCount(shard: GroupShard, groupId: string, who: string): number {
  const group = shard.consumerGroups.get(groupId) ?? shard.groups.get(groupId)
  let count = 0
  for (const { id, instanceId, clientId } of group?.members.values() ?? [])
    if (id === who || instanceId === who || clientId === who) count++
  return count
}

/** -1 for none. */
export function committedOffset(shard: GroupShard, group: string, topic: string, partition: number): number {
  return shard.offsets.get(group, topic, partition)?.offset ?? -1
}
