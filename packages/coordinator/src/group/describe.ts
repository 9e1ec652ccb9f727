// DescribeGroups and ListGroups: what an administrator sees of groups.
import {
  type describeGroups,
  Errors,
  type ErrorCode,
  type listGroups,
  type RequestOf,
  type ResponseInput,
} from '@faultline/protocol'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupShard } from './group-shard.ts'
import type { Member } from './member.ts'
import { CONSUMER } from './protocols.ts'

export type DescribedGroup = NonNullable<ResponseInput<typeof describeGroups>['groups']>[number]
export type ListedGroup = NonNullable<ResponseInput<typeof listGroups>['groups']>[number]

/** Since here a group that does not exist is an error; before, it is dead. */
const GROUP_ID_NOT_FOUND_SINCE = 6
const CLASSIC = 'classic'
const NOTHING = new Uint8Array(0)

export function describeGroup(shard: GroupShard, groupId: string, version: number): DescribedGroup {
  const group = shard.groups.get(groupId)
  if (!group) return missing(groupId, version, shard.consumerGroups.has(groupId))
  const stable = group.state === 'Stable'
  return {
    errorCode: Errors.NONE,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => describeMember(group, member, stable)),
  }
}

/** What members want is only shown when it is settled; what they had is theirs until a new generation begins. */
function describeMember(group: ClassicGroup, member: Member, stable: boolean) {
  return {
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: stable ? (member.metadataFor(group.protocolName) ?? NOTHING) : NOTHING,
    memberAssignment: member.assignment,
  }
}

function missing(groupId: string, version: number, isConsumer: boolean): DescribedGroup {
  const dead = { groupId, groupState: 'Dead' }
  if (version < GROUP_ID_NOT_FOUND_SINCE) return { ...dead, errorCode: Errors.NONE }
  const what = isConsumer ? 'is not a classic group' : 'not found'
  return { ...dead, errorCode: Errors.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId.slice(0, 1000)} ${what}.` }
}

export function describeRefused(groupId: string, errorCode: ErrorCode): DescribedGroup {
  return { groupId, errorCode }
}

export function listedGroups(shard: GroupShard, { statesFilter, typesFilter }: RequestOf<typeof listGroups>): ListedGroup[] {
  const states = new Set(statesFilter.map((s) => s.toLowerCase()))
  const types = new Set(typesFilter.map((t) => t.toLowerCase()))
  return [...classicGroups(shard), ...consumerGroups(shard)].filter(
    ({ groupState, groupType }) =>
      (types.size === 0 || types.has(groupType)) && (states.size === 0 || states.has(groupState.toLowerCase())),
  )
}

function classicGroups({ groups }: GroupShard) {
  return [...groups.values()].map(({ id, protocolType, state }) => ({
    groupId: id,
    protocolType: protocolType ?? '',
    groupState: state as string,
    groupType: CLASSIC,
  }))
}

function consumerGroups(shard: GroupShard) {
  return [...shard.consumerGroups.values()].map(({ id, state }) => ({
    groupId: id,
    protocolType: CONSUMER,
    groupState: state as string,
    groupType: CONSUMER,
  }))
}
