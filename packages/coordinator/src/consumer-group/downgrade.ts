// The way back: the last member that speaks the consumer protocol goes, and those who speak the classic one go on as a classic group
// (KIP-848, online downgrade). They are called to a rebalance, unless a static member only came back with the other protocol.
import { assert } from '@faultline/base'
import { encodeAssignment, type ErrorCode, Errors, type GroupMetadataValue } from '@faultline/protocol'
import { coordinatorError } from '../runtime/append-error.ts'
import type { Topics } from '../group/config.ts'
import { groupRecord } from '../group/group-records.ts'
import type { GroupShard } from '../group/group-shard.ts'
import { CONSUMER, selectProtocol } from '../group/protocols.ts'
import { rebalance } from '../group/rebalance.ts'
import { consumerProtocolVersion } from './classic-protocol.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { groupTombstones } from './consumer-records.ts'
import type { GroupPlan } from './group-plan.ts'
import type { Partitions } from './partitions.ts'

export function canDowngrade({ shard, group }: GroupPlan, leaving: readonly ConsumerMember[]): boolean {
  const stay = staying(group, leaving)
  return (
    stay.length > 0 &&
    stay.every(({ classic }) => classic !== null) &&
    leaving.some(({ classic }) => classic === null) &&
    isDowngradeAllowed(shard, stay.length)
  )
}

export function isDowngradeAllowed({ config }: GroupShard, size: number): boolean {
  const { migrationPolicy } = config.consumer
  return (migrationPolicy === 'bidirectional' || migrationPolicy === 'downgrade') && size <= config.maxSize
}

function staying(group: ConsumerGroup, leaving: readonly ConsumerMember[]): ConsumerMember[] {
  return [...group.members.values()].filter((member) => !leaving.includes(member))
}

export function downgrade({ shard, group }: GroupPlan, leaving: readonly ConsumerMember[], reason: string): ErrorCode {
  const stay = staying(group, leaving)
  const targets = new Map(stay.map(({ id }) => [id, group.targetOf(id)]))
  const error = becomeClassic(shard, group, stay, targets)
  if (error === Errors.NONE) rebalance(shard, shard.groups.get(group.id)!, reason)
  return error
}

/** The group goes on with `members`, each with its target. */
export function becomeClassic(
  shard: GroupShard,
  group: ConsumerGroup,
  members: readonly ConsumerMember[],
  targets: ReadonlyMap<string, Partitions>,
): ErrorCode {
  const value = classicValue(shard, group.epoch, members, targets)
  const error = coordinatorError(shard.context.append([...groupTombstones(group), groupRecord(group.id, value)]))
  if (error === Errors.NONE) keepClassicMembers(shard, group.id, members)
  return error
}

function classicValue(
  { context, topics }: GroupShard,
  generation: number,
  members: readonly ConsumerMember[],
  targets: ReadonlyMap<string, Partitions>,
): GroupMetadataValue {
  const protocol = selectProtocol(members.map(({ classic }) => ({ protocols: classic!.supportedProtocols })))
  return {
    protocolType: CONSUMER,
    generation,
    protocol,
    leader: members[0]!.id,
    currentStateTimestamp: context.clock.wall(),
    members: members.map((member) => {
      const { id, instanceId, clientId, clientHost, rebalanceTimeoutMs, classic } = member
      return {
        memberId: id,
        groupInstanceId: instanceId,
        clientId,
        clientHost,
        rebalanceTimeout: rebalanceTimeoutMs,
        sessionTimeout: classic!.sessionTimeoutMs,
        subscription: classic!.supportedProtocols.find((p) => p.name === protocol)?.metadata ?? new Uint8Array(0),
        assignment: assignmentBytes(targets.get(id)!, consumerProtocolVersion(member), topics),
      }
    }),
  }
}

/** In the classic protocol topics go by name; those that are gone have none. */
export function assignmentBytes(
  partitions: ReadonlyMap<string, { keys(): Iterable<number> }>,
  version: number,
  topics: Topics,
): Uint8Array {
  const assignedPartitions = [...partitions].flatMap(([topicId, numbers]) => {
    const topic = topics.nameOf(topicId)
    return topic === undefined ? [] : [{ topic, partitions: [...numbers.keys()].sort((a, b) => a - b) }]
  })
  return encodeAssignment({ assignedPartitions }, version)
}

/** A classic group's record has one protocol of each member; here all are still known. */
function keepClassicMembers(shard: GroupShard, groupId: string, members: readonly ConsumerMember[]): void {
  const classic = shard.groups.get(groupId)
  assert(classic, `group ${groupId} did not become a classic one`)
  for (const { id, classic: metadata } of members) {
    const member = classic.members.get(id)!
    member.protocols = metadata!.supportedProtocols
    member.keepSession()
  }
}
