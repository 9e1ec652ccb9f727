// Positions that nobody needs any more expire (KIP-211), and an empty group without positions goes with them.
import { Errors } from '@faultline/protocol'
import { ConsumerGroup } from '../consumer-group/consumer-group.ts'
import { groupTombstones } from '../consumer-group/consumer-records.ts'
import { topicsOfAll } from '../consumer-group/subscriptions.ts'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { CommittedOffset } from './committed-offsets.ts'
import { groupTombstone, offsetTombstone } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'
import { CONSUMER, subscribedTopics } from './protocols.ts'

export function expireOffsets(shard: GroupShard): void {
  for (const group of [...shard.groups.values(), ...shard.consumerGroups.values()]) {
    const records = group instanceof ConsumerGroup ? expiredOfConsumers(shard, group) : expiredOfClassic(shard, group)
    if (records.length === 0) continue
    // It is tried again at the next check.
    if (shard.context.appendInParts(records) !== Errors.NONE) return
    shard.context.emit('group.expired', { group: group.id, records: records.length })
  }
}

function expiredOfClassic(shard: GroupShard, group: ClassicGroup): CoordinatorRecord[] {
  const { records, kept } = expired(shard, group.id, retentionStart(group))
  if (kept === 0 && isUnused(shard, group)) records.push(groupTombstone(group.id))
  return records
}

/** What somebody reads stays; all else is kept for as long since it was committed. */
function expiredOfConsumers(shard: GroupShard, group: ConsumerGroup): CoordinatorRecord[] {
  const read = topicsOfAll(group.members.values(), group.regexes)
  const since: RetentionStart = (topic, { commitTimestamp }) => (read.has(topic) ? undefined : commitTimestamp)
  const { records, kept } = expired(shard, group.id, since)
  if (kept === 0 && group.members.size === 0 && !shard.transactionalOffsets.hasGroup(group.id))
    records.push(...groupTombstones(group))
  return records
}

function expired(shard: GroupShard, groupId: string, since: RetentionStart): { records: CoordinatorRecord[]; kept: number } {
  const records: CoordinatorRecord[] = []
  const now = shard.context.clock.wall()
  let kept = 0
  for (const [topic, partitions] of shard.offsets.topicsOf(groupId)) {
    for (const [partition, committed] of partitions) {
      const start = shard.transactionalOffsets.has(groupId, topic, partition) ? undefined : since(topic, committed)
      if (start !== undefined && isOver(committed, start, now, shard.config.retentionMs))
        records.push(offsetTombstone(groupId, topic, partition))
      else kept++
    }
  }
  return { records, kept }
}

function isUnused(shard: GroupShard, { id, state, pendingMembers }: ClassicGroup): boolean {
  return state === 'Empty' && pendingMembers.size === 0 && !shard.transactionalOffsets.hasGroup(id)
}

/** Older clients could say how long to keep a position; then nothing else counts. */
function isOver(committed: CommittedOffset, start: number, now: number, retentionMs: number): boolean {
  return committed.expireTimestamp >= 0 ? now >= committed.expireTimestamp : now - start >= retentionMs
}

/** From when on the retention of a position is counted; undefined where it is in use. */
type RetentionStart = (topic: string, committed: CommittedOffset) => number | undefined

function retentionStart(group: ClassicGroup): RetentionStart {
  if (group.protocolType === null) return (_, committed) => committed.commitTimestamp
  if (group.state === 'Empty')
    return (_, committed) => (group.stateTimestamp >= 0 ? group.stateTimestamp : committed.commitTimestamp)
  const topics = group.protocolType === CONSUMER && group.state === 'Stable' ? subscribedTopics(group) : undefined
  return (topic, committed) => (topics === undefined || topics.has(topic) ? undefined : committed.commitTimestamp)
}
