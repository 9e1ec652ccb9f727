// A change to a consumer group on its way: the group as it is, and the records that will change it. They are written as one batch, so that
// a group is never seen half changed.
import { assert } from '@faultline/base'
import { decodeConsumerGroupRecord, type ErrorCode, Errors } from '@faultline/protocol'
import { coordinatorError } from '../runtime/append-error.ts'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import type { ClassicGroup } from '../group/classic-group.ts'
import type { GroupShard } from '../group/group-shard.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { replayInto } from './consumer-replay.ts'
import { epochRecord } from './consumer-records.ts'

export interface GroupPlan {
  readonly shard: GroupShard
  /** As it is before `records`, but for those that it began with. */
  readonly group: ConsumerGroup
  readonly records: CoordinatorRecord[]
}

export function planFor(shard: GroupShard, group: ConsumerGroup): GroupPlan {
  return { shard, group, records: [] }
}

/** For a group that is not there yet: `before` is what goes to make place for it, `begins` what it begins with. */
export function planForNew(
  shard: GroupShard,
  groupId: string,
  before: readonly CoordinatorRecord[],
  begins: readonly CoordinatorRecord[] = [],
): GroupPlan {
  const group = new ConsumerGroup(groupId)
  for (const { key, value } of begins) {
    const record = decodeConsumerGroupRecord(key, value)
    assert(record, 'a record of another kind')
    replayInto(group, record)
  }
  return { shard, group, records: [...before, ...begins] }
}

/** Why a request is refused, with Kafka's words for it. */
export interface GroupError {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export function groupError(errorCode: ErrorCode, errorMessage: string): GroupError {
  return { errorCode, errorMessage }
}

export function isGroupError(value: object): value is GroupError {
  return 'errorCode' in value
}

export function bumpEpoch({ group, records }: GroupPlan, metadataHash: number): number {
  const epoch = group.epoch + 1
  records.push(epochRecord(group.id, epoch, metadataHash))
  return epoch
}

/** Writes what was planned. On an error nothing has changed. */
export function carryOut({ shard, group: { id }, records }: GroupPlan, reason: string): ErrorCode {
  if (records.length === 0) return Errors.NONE
  const before = shard.consumerGroups.get(id)?.state
  const classic = shard.groups.get(id)
  const error = coordinatorError(shard.context.append(records))
  const group = shard.consumerGroups.get(id)
  if (group && classic) releaseMembers(classic)
  if (group && group.state !== before) {
    const { state, epoch, members } = group
    shard.context.emit('group.state', { group: id, state, generation: epoch, members: members.size, reason })
  }
  return error
}

/** A classic group has gone on as this one: whoever waits in its rebalance is called to the next one. */
function releaseMembers(classic: ClassicGroup): void {
  for (const member of classic.members.values()) {
    member.answerJoin({ errorCode: Errors.REBALANCE_IN_PROGRESS, memberId: member.id })
    member.answerSync({ errorCode: Errors.REBALANCE_IN_PROGRESS })
  }
}

/** The members as they will be: `member` is one of them, `replaced` is not. */
export function membersWith(group: ConsumerGroup, member: ConsumerMember, replaced?: string): ConsumerMember[] {
  const others = [...group.members.values()].filter(({ id }) => id !== member.id && id !== replaced)
  return [...others, member]
}
