// SyncGroup: the leader's assignment is written, and everyone gets theirs.
import { type ErrorCode, Errors, type RequestOf, type syncGroup } from '@faultline/protocol'
import { coordinatorError } from '../runtime/append-error.ts'
import type { ClassicGroup } from './classic-group.ts'
import { groupRecord } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'
import type { Member, SyncAnswer } from './member.ts'
import { abandonSync, rebalance } from './rebalance.ts'

type SyncRequest = RequestOf<typeof syncGroup>

export function sync(shard: GroupShard, request: SyncRequest, answer: (value: SyncAnswer) => void): void {
  const group = shard.groups.get(request.groupId)
  if (!group) return answer({ errorCode: Errors.UNKNOWN_MEMBER_ID })
  const error = checkSync(group, request)
  if (error !== Errors.NONE) return answer({ errorCode: error })
  const member = group.members.get(request.memberId)!
  group.pendingSync.delete(member.id)
  if (group.pendingSync.size === 0) group.syncDeadline.clear()
  if (group.state === 'Stable') {
    member.keepSession()
    return answer(assignmentAnswer(group, member))
  }
  member.answerSync({ errorCode: Errors.REBALANCE_IN_PROGRESS })
  member.awaitingSync = answer
  if (group.leader === member.id) assign(shard, group, request)
}

function checkSync(group: ClassicGroup, request: SyncRequest): ErrorCode {
  const unknown = group.checkMember(request.memberId, request.groupInstanceId)
  if (unknown !== Errors.NONE) return unknown
  if (request.generationId !== group.generation) return Errors.ILLEGAL_GENERATION
  if (differ(request.protocolType, group.protocolType) || differ(request.protocolName, group.protocolName))
    return Errors.INCONSISTENT_GROUP_PROTOCOL
  return group.state === 'PreparingRebalance' ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE
}

/** Older clients do not say, and a group that has not chosen yet has nothing to compare with. */
function differ(asked: string | null, chosen: string | null): boolean {
  return asked !== null && chosen !== null && asked !== chosen
}

/** One record makes the generation stable. Where the log refuses it, everybody joins again. */
function assign(shard: GroupShard, group: ClassicGroup, request: SyncRequest): void {
  const assignments = new Map(request.assignments.map((a) => [a.memberId, a.assignment]))
  const value = group.toRecord(shard.context.clock.wall())
  const members = value.members.map((m) => ({ ...m, assignment: assignments.get(m.memberId) ?? new Uint8Array(0) }))
  const error = coordinatorError(shard.context.append([groupRecord(group.id, { ...value, members })]))
  if (error !== Errors.NONE) {
    abandonSync(group, error)
    return rebalance(shard, group, 'the assignment could not be written')
  }
  const { id, generation } = group
  shard.context.emit('group.state', { group: id, state: 'Stable', generation, members: members.length, reason: 'assigned' })
  for (const member of group.members.values()) {
    if (member.awaitingSync) member.keepSession()
    member.answerSync(assignmentAnswer(group, member))
  }
}

function assignmentAnswer(group: ClassicGroup, member: Member): SyncAnswer {
  const { protocolType, protocolName } = group
  return { errorCode: Errors.NONE, protocolType, protocolName, assignment: member.assignment }
}
