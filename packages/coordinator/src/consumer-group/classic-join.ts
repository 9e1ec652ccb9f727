// JoinGroup of a member that speaks the classic protocol, to a consumer group: a heartbeat in other words. Its generation is its epoch, it
// never leads, and nothing waits: what it is to have it hears from SyncGroup.
import { Errors, type joinGroup, type RequestOf } from '@faultline/protocol'
import type { GroupClient, Topics } from '../group/config.ts'
import type { GroupShard } from '../group/group-shard.ts'
import { refusal } from '../group/join.ts'
import type { JoinAnswer } from '../group/member.ts'
import { CONSUMER } from '../group/protocols.ts'
import { advance } from './advance.ts'
import { protocolNameOf, subscriptionOf } from './classic-protocol.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ClassicProtocol, type ConsumerMember, newMember } from './consumer-member.ts'
import { becomeClassic, isDowngradeAllowed } from './downgrade.ts'
import { carryOut, type GroupError, type GroupPlan, isGroupError, membersWith, planFor } from './group-plan.ts'
import { checkHolder, checkRoom } from './heartbeat.ts'
import { newConsumerMemberId } from './member-id.ts'
import { keepConsumerSession, timersOf } from './member-timers.ts'
import { replaceMember } from './static-member.ts'

type JoinRequest = RequestOf<typeof joinGroup>
type Subscription = NonNullable<ReturnType<typeof subscriptionOf>>

/** From here on a member id must be known before it joins (KIP-394). */
const MEMBER_ID_REQUIRED_SINCE = 4

export function joinConsumerGroup(
  shard: GroupShard,
  group: ConsumerGroup,
  request: JoinRequest,
  client: GroupClient,
): JoinAnswer {
  const plan = planFor(shard, group)
  const isNew = request.memberId === ''
  const memberId = isNew ? newConsumerMemberId(shard.context.random) : request.memberId
  const full = checkRoom(plan, memberId)
  if (full) return refusal(full.errorCode, '')
  const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) }))
  const subscription = subscriptionOf(protocols)
  if (!subscription || !supports(group, request.protocolType, protocols))
    return refusal(Errors.INCONSISTENT_GROUP_PROTOCOL, request.memberId)
  if (isNew && request.groupInstanceId === null && client.version >= MEMBER_ID_REQUIRED_SINCE)
    return refusal(Errors.MEMBER_ID_REQUIRED, memberId)
  const found = memberFor(plan, request, memberId)
  if (isGroupError(found)) return refusal(found.errorCode, memberId)
  const { member: before, replaced } = found
  const after = described(before, request, client, protocols, subscription)
  const owned = ownedPartitions(subscription, shard.topics)
  const next = advance(plan, { before, after, owned, replaced })
  return join(plan, next, replaced)
}

/** A protocol must be known to all who speak the classic protocol. */
function supports(group: ConsumerGroup, protocolType: string, protocols: readonly ClassicProtocol[]): boolean {
  const others = [...group.members.values()].flatMap(({ classic }) => (classic ? [classic.supportedProtocols] : []))
  const knownToAll = (name: string) => others.every((known) => known.some((p) => p.name === name))
  return protocolType === CONSUMER && protocols.some(({ name }) => knownToAll(name))
}

interface Found {
  readonly member: ConsumerMember
  readonly replaced: string | undefined
}

/** A member that is not known is a new one, whatever id it has; a static one that comes without its id takes its place again. */
function memberFor(plan: GroupPlan, { memberId: asked, groupInstanceId }: JoinRequest, memberId: string): Found | GroupError {
  const { group } = plan
  if (groupInstanceId === null) return { member: group.members.get(memberId) ?? newMember(memberId), replaced: undefined }
  const holder = group.staticMember(groupInstanceId)
  if (asked !== '') return checkHolder(holder, memberId, groupInstanceId) ?? { member: holder!, replaced: undefined }
  return holder ? replaceMember(plan, holder, memberId) : { member: newMember(memberId), replaced: undefined }
}

function described(
  member: ConsumerMember,
  request: JoinRequest,
  client: GroupClient,
  supportedProtocols: readonly ClassicProtocol[],
  { rackId, topics }: Subscription,
): ConsumerMember {
  return {
    ...member,
    instanceId: request.groupInstanceId ?? member.instanceId,
    rackId: rackId || member.rackId,
    rebalanceTimeoutMs: rebalanceTimeout(request),
    subscribedTopicNames: new Set(topics),
    subscribedTopicRegex: '',
    clientId: client.clientId,
    clientHost: client.clientHost,
    classic: { sessionTimeoutMs: request.sessionTimeoutMs, supportedProtocols },
  }
}

/** Version 0 had none: the session timeout stood for it. */
function rebalanceTimeout(request: JoinRequest): number {
  return request.rebalanceTimeoutMs === -1 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs
}

function ownedPartitions({ ownedPartitions: all }: Subscription, topics: Topics) {
  return all.flatMap(({ topic, partitions }) => {
    const topicId = topics.idOf(topic)
    return topicId === undefined ? [] : [{ topicId, partitions }]
  })
}

function join(plan: GroupPlan, member: ConsumerMember, replaced: string | undefined): JoinAnswer {
  const { shard, group } = plan
  const members = membersWith(group, member, replaced)
  const isLast = replaced !== undefined && members.every(({ classic }) => classic !== null)
  const downgrades = isLast && isDowngradeAllowed(shard, members.length)
  const errorCode = downgrades ? joinAsClassic(plan, members, replaced) : carryOut(plan, `${member.id} joined`)
  if (errorCode !== Errors.NONE) return refusal(errorCode, member.id)
  if (!downgrades) followJoin(plan, member)
  return {
    errorCode,
    generationId: member.epoch,
    protocolType: CONSUMER,
    protocolName: protocolNameOf(member),
    leader: '',
    memberId: member.id,
    members: [],
  }
}

/** A static member that was the last to speak the consumer protocol has come back speaking the classic one. */
function joinAsClassic(plan: GroupPlan, members: readonly ConsumerMember[], replaced: string) {
  const { shard, group } = plan
  const targets = new Map(members.map(({ id }) => [id, group.targetOf(group.members.has(id) ? id : replaced)]))
  return becomeClassic(shard, group, members, targets)
}

function followJoin({ shard, group }: GroupPlan, member: ConsumerMember): void {
  group.hashIsStale = false
  const timers = timersOf(shard, group, member.id)
  timers.join.clear()
  timers.rebalance.clear()
  timers.sync.set(member.rebalanceTimeoutMs)
  keepConsumerSession(shard, group, member)
}
