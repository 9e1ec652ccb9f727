// The records that a classic group goes on with as a consumer group: its members as they are, each with what the classic protocol gave it.
// They are in one epoch, that of the generation, and learn of the next one as a rebalance.
import { assert } from '@faultline/base'
import { decodeAssignment, decodeSubscription, MalformedError } from '@faultline/protocol'
import type { ClassicGroup } from '../group/classic-group.ts'
import type { Topics } from '../group/config.ts'
import type { GroupShard } from '../group/group-shard.ts'
import type { Member } from '../group/member.ts'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import { type ConsumerMember, MemberState } from './consumer-member.ts'
import { assignmentEpochRecord, assignmentRecord, epochRecord, memberRecord, targetRecord } from './consumer-records.ts'
import { NOTHING_OWNED, type Owned } from './partitions.ts'
import { metadataHash, topicsOfAll } from './subscriptions.ts'

/** Undefined when what members say of themselves cannot be read. */
export function upgradeRecords({ topics }: GroupShard, classic: ClassicGroup): CoordinatorRecord[] | undefined {
  const members = membersOf(classic, topics)
  if (!members) return undefined
  const { id, generation } = classic
  return [
    ...members.map((member) => memberRecord(id, member)),
    epochRecord(id, generation, metadataHash(topicsOfAll(members, new Map()), topics)),
    ...members.map((member) => targetRecord(id, member.id, setsOf(member.assigned))),
    assignmentEpochRecord(id, generation, 0),
    ...members.map((member) => assignmentRecord(id, member)),
  ]
}

function membersOf(classic: ClassicGroup, topics: Topics): ConsumerMember[] | undefined {
  const taken = new Set<string>()
  try {
    return [...classic.members.values()].map((member) => memberOf(classic, member, topics, taken))
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return undefined
  }
}

function memberOf(classic: ClassicGroup, member: Member, topics: Topics, taken: Set<string>): ConsumerMember {
  const metadata = member.metadataFor(classic.protocolName) ?? member.protocols[0]?.metadata
  assert(metadata, `member ${member.id} without a protocol`)
  const subscription = decodeSubscription(metadata)
  return {
    id: member.id,
    instanceId: member.instanceId,
    rackId: subscription.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: new Set(subscription.topics),
    subscribedTopicRegex: '',
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    serverAssignor: null,
    classic: { sessionTimeoutMs: member.sessionTimeoutMs, supportedProtocols: member.protocols },
    epoch: classic.generation,
    previousEpoch: classic.generation,
    state: MemberState.STABLE,
    assigned: assignedTo(member, classic.generation, topics, taken),
    pendingRevocation: NOTHING_OWNED,
  }
}

/** A classic leader may have given a partition to two: only the first keeps it. */
function assignedTo(member: Member, epoch: number, topics: Topics, taken: Set<string>): Owned {
  if (member.assignment.length === 0) return NOTHING_OWNED
  const owned = new Map<string, Map<number, number>>()
  for (const { topic, partitions } of decodeAssignment(member.assignment).assignedPartitions) {
    const topicId = topics.idOf(topic)
    if (topicId === undefined) continue
    const free = partitions.filter((p) => !taken.has(`${topicId}-${p}`))
    for (const p of free) taken.add(`${topicId}-${p}`)
    if (free.length > 0)
      owned.set(topicId, new Map([...(owned.get(topicId) ?? []), ...free.map((p): [number, number] => [p, epoch])]))
  }
  return owned
}

function setsOf(owned: Owned): Map<string, Set<number>> {
  return new Map([...owned].map(([topicId, epochs]) => [topicId, new Set(epochs.keys())]))
}
