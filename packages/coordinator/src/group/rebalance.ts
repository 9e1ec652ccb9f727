// How a classic group comes from one generation to the next: members are called, come back, and when all are there (or the time is over)
// the next generation begins.
import { type ErrorCode, Errors } from '@faultline/protocol'
import { type ClassicGroup, type GroupState, nextGeneration } from './classic-group.ts'
import { emptyGroup, groupRecord } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'
import { type JoinAnswer, type Member, NO_ASSIGNMENT } from './member.ts'
import { selectProtocol } from './protocols.ts'
import { removeMember } from './sessions.ts'

/** Before it is tried again to write that a group has become empty, where the log refused it. */
const RETRY_MS = 1000

/** Something changed who is in the group, or what they want: a rebalance begins, or the one under way may be complete. */
export function rebalance(shard: GroupShard, group: ClassicGroup, reason: string): void {
  if (group.state === 'PreparingRebalance') completeJoinIfAll(shard, group)
  else prepareRebalance(shard, group, reason)
}

function prepareRebalance(shard: GroupShard, group: ClassicGroup, reason: string): void {
  const initial = group.state === 'Empty'
  abandonSync(group, Errors.REBALANCE_IN_PROGRESS)
  moveTo(shard, group, 'PreparingRebalance', reason)
  if (initial) beginInitialJoin(shard, group)
  else if (group.allJoined) completeJoin(shard, group)
  else group.joinDeadline.set(group.rebalanceTimeoutMs)
}

/** Whoever waits for an assignment of this generation will not get one, and has none any more. */
export function abandonSync(group: ClassicGroup, errorCode: ErrorCode): void {
  group.syncDeadline.clear()
  group.pendingSync.clear()
  if (group.state !== 'CompletingRebalance') return
  for (const member of group.members.values()) {
    member.assignment = NO_ASSIGNMENT
    if (member.answerSync({ errorCode })) member.keepSession()
  }
}

/** The first members of a group seldom come alone: time is left for the others (KIP-134). */
function beginInitialJoin(shard: GroupShard, group: ClassicGroup): void {
  const delayMs = shard.config.initialRebalanceDelayMs
  group.initialJoin = { remainingMs: Math.max(group.rebalanceTimeoutMs - delayMs, 0), newMember: false }
  group.joinDeadline.set(delayMs)
}

export function expireJoin(shard: GroupShard, id: string): void {
  const group = shard.groups.get(id)
  if (group?.state !== 'PreparingRebalance') return
  const initial = group.initialJoin
  if (!initial?.newMember || initial.remainingMs === 0) return completeJoin(shard, group)
  const delayMs = Math.min(shard.config.initialRebalanceDelayMs, initial.remainingMs)
  group.initialJoin = { remainingMs: initial.remainingMs - delayMs, newMember: false }
  group.joinDeadline.set(delayMs)
}

/** An initial rebalance takes its time even when everybody is there. */
export function completeJoinIfAll(shard: GroupShard, group: ClassicGroup): void {
  if (group.state === 'PreparingRebalance' && !group.initialJoin && group.allJoined) completeJoin(shard, group)
}

function completeJoin(shard: GroupShard, group: ClassicGroup): void {
  group.joinDeadline.clear()
  for (const member of [...group.members.values()]) {
    if (!member.awaitingJoin && member.instanceId === null) group.remove(member.id)
  }
  if (group.members.size === 0) return becomeEmpty(shard, group)
  if (!group.electJoinedLeader()) {
    // Only static members are left, and none of them came: sessions decide.
    group.joinDeadline.set(group.rebalanceTimeoutMs)
    return
  }
  beginGeneration(shard, group)
}

function becomeEmpty(shard: GroupShard, group: ClassicGroup): void {
  const { context } = shard
  const value = emptyGroup(group.protocolType ?? '', nextGeneration(group.generation), context.clock.wall())
  if (context.append([groupRecord(group.id, value)]) !== Errors.NONE) return group.joinDeadline.set(RETRY_MS)
  group.initialJoin = undefined
  context.emit('group.state', { group: group.id, state: 'Empty', generation: group.generation, members: 0, reason: 'no members' })
}

function beginGeneration(shard: GroupShard, group: ClassicGroup): void {
  group.initialJoin = undefined
  group.generation = nextGeneration(group.generation)
  const members = [...group.members.values()]
  group.protocolName = selectProtocol(members)
  moveTo(shard, group, 'CompletingRebalance', 'all joined')
  group.pendingSync.clear()
  for (const member of members) {
    group.pendingSync.add(member.id)
    member.isNew = false
    member.keepSession()
    member.answerJoin(generationAnswer(group, member))
  }
  group.syncDeadline.set(group.rebalanceTimeoutMs)
}

/** What JoinGroup says of the current generation: to its leader also who is in it. */
export function generationAnswer(group: ClassicGroup, member: Member): JoinAnswer {
  return {
    errorCode: Errors.NONE,
    generationId: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leader ?? '',
    memberId: member.id,
    members: group.leader === member.id ? memberList(group) : [],
  }
}

export function memberList(group: ClassicGroup): NonNullable<JoinAnswer['members']> {
  return [...group.members.values()].map((m) => ({
    memberId: m.id,
    groupInstanceId: m.instanceId,
    metadata: m.metadataFor(group.protocolName) ?? new Uint8Array(0),
  }))
}

/** Members who joined but never asked for their assignment hold up nobody for longer than a rebalance may take. */
export function expireSync(shard: GroupShard, id: string): void {
  const group = shard.groups.get(id)
  if (!group || (group.state !== 'CompletingRebalance' && group.state !== 'Stable') || group.pendingSync.size === 0) return
  for (const memberId of [...group.pendingSync]) removeMember(group, memberId)
  rebalance(shard, group, 'members did not sync')
}

function moveTo(shard: GroupShard, group: ClassicGroup, state: GroupState, reason: string): void {
  group.transitionTo(state)
  shard.context.emit('group.state', {
    group: group.id,
    state,
    generation: group.generation,
    members: group.members.size,
    reason,
  })
}
