// A static member that comes without its member id was restarted: it takes the place of the one it was, who is fenced (KIP-345). In a
// stable group that needs no rebalance, only a record.
import { Errors } from '@faultline/protocol'
import { coordinatorError } from '../runtime/append-error.ts'
import type { ClassicGroup } from './classic-group.ts'
import { groupRecord } from './group-records.ts'
import type { GroupShard } from './group-shard.ts'
import { type Joining, memberFrom, refusal } from './join.ts'
import type { Member } from './member.ts'
import { generationAnswer, memberList, rebalance } from './rebalance.ts'
import { selectProtocol } from './protocols.ts'

/** A leader that comes back may be told that it leads, but need not assign (KIP-814). */
const SKIP_ASSIGNMENT_SINCE = 9

export function replaceStaticMember(
  shard: GroupShard,
  group: ClassicGroup,
  joining: Joining,
  oldId: string,
  newId: string,
): void {
  const old = group.members.get(oldId)!
  const member = memberFrom(joining, newId, group)
  member.assignment = old.assignment
  if (group.state === 'Stable') {
    const next = [...group.members.values()].map((m) => (m === old ? member : m))
    if (selectProtocol(next) === group.protocolName) return keepGeneration(shard, group, joining, old, member)
  }
  old.answerJoin(refusal(Errors.FENCED_INSTANCE_ID, oldId))
  old.answerSync({ errorCode: Errors.FENCED_INSTANCE_ID })
  group.replaceStatic(member, oldId)
  member.awaitingJoin = joining.answer
  member.keepSession()
  rebalance(shard, group, `static member ${member.instanceId} came back`)
}

function keepGeneration(shard: GroupShard, group: ClassicGroup, joining: Joining, old: Member, member: Member): void {
  const oldLeader = group.leader
  const leads = oldLeader === old.id
  const value = group.toRecord(shard.context.clock.wall())
  const record = member.toRecord(group.protocolName)
  const members = value.members.map((m) => (m.memberId === old.id ? record : m))
  const leader = leads ? member.id : oldLeader
  const error = coordinatorError(shard.context.append([groupRecord(group.id, { ...value, leader, members })]))
  if (error !== Errors.NONE) return joining.answer(refusal(error, ''))
  const current = group.members.get(member.id)!
  current.protocols = joining.protocols
  current.keepSession()
  group.pendingSync.delete(old.id)
  const answer = generationAnswer(group, current)
  if (joining.client.version >= SKIP_ASSIGNMENT_SINCE)
    return joining.answer({ ...answer, members: leads ? memberList(group) : [], skipAssignment: leads })
  // An older client that were told that it leads would assign, and nobody would hear of it: so it is told the id that it had.
  joining.answer({ ...answer, members: [], leader: oldLeader ?? '' })
}
