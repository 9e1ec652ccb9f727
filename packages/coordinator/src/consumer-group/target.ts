// The target assignment: what each member is to have in an epoch. It is made anew when the group's epoch has grown, but not more often than
// consumer.assignment.interval.ms allows (KIP-1263); until then members go on towards the one there is.
import type { ConsumerMember } from './consumer-member.ts'
import { type Assignee, ASSIGNORS } from './assignor/assignor.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type GroupPlan, membersWith } from './group-plan.ts'
import { NO_PARTITIONS, type Partitions, samePartitions } from './partitions.ts'
import { assignmentEpochRecord, targetRecord } from './consumer-records.ts'
import { topicIdsOf, topicsOf } from './subscriptions.ts'

export interface Target {
  readonly epoch: number
  /** Of the member whose request this is. */
  readonly partitions: Partitions
}

/** `member` is as it will be, and takes over what `replaced` was to have if there is one. */
export function updateTarget(plan: GroupPlan, member: ConsumerMember, groupEpoch: number, replaced?: string): Target {
  const { group } = plan
  if (groupEpoch <= group.assignmentEpoch || !isDue(plan))
    return { epoch: group.assignmentEpoch, partitions: group.targetOf(replaced ?? member.id) }
  return { epoch: groupEpoch, partitions: assignAnew(plan, member, groupEpoch, replaced) }
}

function isDue({ shard, group }: GroupPlan): boolean {
  const since = shard.context.clock.wall() - group.assignmentTimestamp
  // The clock may have been set back.
  return since < 0 || since >= shard.config.consumer.assignmentIntervalMs(group.id)
}

function assignAnew(plan: GroupPlan, member: ConsumerMember, epoch: number, replaced?: string): Partitions {
  const { shard, group, records } = plan
  const members = membersWith(group, member, replaced)
  const assignor = ASSIGNORS.get(preferredAssignor(members, shard.config.consumer.assignors))!
  const assignees = members.map((m): Assignee => ({
    id: m.id,
    instanceId: m.instanceId,
    topics: topicIdsOf(topicsOf(m, group.regexes), shard.topics),
    target: group.targetOf(m === member ? (replaced ?? m.id) : m.id),
  }))
  const assigned = assignor(assignees, (topicId) => shard.topics.partitionCountOf(shard.topics.nameOf(topicId)!)!)
  for (const { id, target } of assignees) {
    const next = assigned.get(id) ?? NO_PARTITIONS
    const isKnown = group.targets.has(id) || (id === member.id && replaced !== undefined)
    if (!isKnown || !samePartitions(next, target)) records.push(targetRecord(group.id, id, next))
  }
  records.push(assignmentEpochRecord(group.id, epoch, shard.context.clock.wall()))
  return assigned.get(member.id) ?? NO_PARTITIONS
}

/** The one that most members ask for; without a wish the broker's first. */
export function preferredAssignor(members: Iterable<ConsumerMember>, available: readonly string[]): string {
  const votes = new Map(available.map((name) => [name, 0]))
  for (const { serverAssignor } of members) {
    const count = serverAssignor === null ? undefined : votes.get(serverAssignor)
    if (count !== undefined) votes.set(serverAssignor!, count + 1)
  }
  let chosen = available[0]!
  for (const name of available) if (votes.get(name)! > votes.get(chosen)!) chosen = name
  return chosen
}

export function assignorOf(group: ConsumerGroup, available: readonly string[]): string {
  return preferredAssignor(group.members.values(), available)
}
