// Positions that nobody needs any more expire (KIP-211), and an empty group without positions goes with them.
import { Errors } from '@faultline/protocol'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { CommittedOffset } from './committed-offsets.ts'
import { groupTombstone, offsetTombstone } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'
import { CONSUMER, subscribedTopics } from './protocols.ts'

export function expireOffsets(shard: GroupShard): void {
  for (const group of [...shard.groups.values()]) {
    const records = expired(shard, group)
    if (records.length === 0) continue
    // It is tried again at the next check.
    if (shard.context.appendInParts(records) !== Errors.NONE) return
    shard.context.emit('group.expired', { group: group.id, records: records.length })
  }
}

function expired(shard: GroupShard, group: ClassicGroup): CoordinatorRecord[] {
  const records: CoordinatorRecord[] = []
  const since = retentionStart(group)
  const now = shard.context.clock.wall()
  let kept = 0
  for (const [topic, partitions] of shard.offsets.topicsOf(group.id)) {
    for (const [partition, committed] of partitions) {
      const start = shard.transactionalOffsets.has(group.id, topic, partition) ? undefined : since(topic, committed)
      if (start !== undefined && isOver(committed, start, now, shard.config.retentionMs))
        records.push(offsetTombstone(group.id, topic, partition))
      else kept++
    }
  }
  if (kept === 0 && isUnused(shard, group)) records.push(groupTombstone(group.id))
  return records
}

function isUnused(shard: GroupShard, { id, state, pendingMembers }: ClassicGroup): boolean {
  return state === 'Empty' && pendingMembers.size === 0 && !shard.transactionalOffsets.hasGroup(id)
}

/** Older clients could say how long to keep a position; then nothing else counts. */
function isOver(committed: CommittedOffset, start: number, now: number, retentionMs: number): boolean {
  return committed.expireTimestamp >= 0 ? now >= committed.expireTimestamp : now - start >= retentionMs
}

/** From when on the retention of a position is counted; undefined where it is in use. */
function retentionStart(group: ClassicGroup): (topic: string, committed: CommittedOffset) => number | undefined {
  if (group.protocolType === null) return (_, committed) => committed.commitTimestamp
  if (group.state === 'Empty')
    return (_, committed) => (group.stateTimestamp >= 0 ? group.stateTimestamp : committed.commitTimestamp)
  const topics = group.protocolType === CONSUMER && group.state === 'Stable' ? subscribedTopics(group) : undefined
  return (topic, committed) => (topics === undefined || topics.has(topic) ? undefined : committed.commitTimestamp)
}
