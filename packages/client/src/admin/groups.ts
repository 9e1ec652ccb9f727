// Groups: which there are, and what their coordinators know of members.
import { decodeAssignment, describeGroups, Errors, listGroups } from '@faultline/protocol'
import type { ClusterClient } from '../cluster-client.ts'
import { ask, check } from './ask.ts'
import { describeConsumers } from './consumer-groups.ts'
import type { TopicPartition } from './leaders.ts'

const CLASSIC = 'classic'
const CONSUMER = 'consumer'

export interface Listed {
  readonly groupId: string
  /** As Kafka names it; "simple" is a classic one that only holds offsets: its consumers choose their partitions themselves. */
  readonly type: string
  readonly protocolType: string
  readonly state: string
  readonly coordinator: number
}

export interface GroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly host: string
  readonly assigned: readonly TopicPartition[]
  /** What it is to have, and the epoch that it is in: null where members assign themselves. */
  readonly target: readonly TopicPartition[] | null
  readonly epoch: number | null
}

export interface GroupDescription {
  readonly state: string
  /** Which members agreed on, or the server's; empty while there is none. */
  readonly assignor: string
  readonly members: readonly GroupMember[]
  /** Of the group and of its target assignment; a classic group has a generation, which nobody is told. */
  readonly epochs: { readonly group: number; readonly assignment: number } | null
}

/** Those that one broker coordinates. */
export async function groupsOf(client: ClusterClient, coordinator: number): Promise<Listed[]> {
  const reply = await ask(client.broker(coordinator), listGroups, { statesFilter: [], typesFilter: [] })
  check(reply.errorCode, `broker:${coordinator} does not list its groups`)
  return reply.groups.map(({ groupId, protocolType, groupState, groupType }) => ({
    groupId,
    type: groupType === CLASSIC && protocolType === '' ? 'simple' : groupType,
    protocolType,
    state: groupState,
    coordinator,
  }))
}

/** Groups of one coordinator, by id; one that went meanwhile is left out. */
export async function describeGroupsOf(
  client: ClusterClient,
  coordinator: number,
  listed: readonly Listed[],
): Promise<Map<string, GroupDescription>> {
  const of = (...types: string[]) => listed.filter((g) => types.includes(g.type)).map((g) => g.groupId)
  const [classic, consumer] = await Promise.all([
    describeClassic(client, coordinator, of(CLASSIC, 'simple')),
    describeConsumers(client, coordinator, of(CONSUMER)),
  ])
  return new Map([...classic, ...consumer])
}

async function describeClassic(
  client: ClusterClient,
  coordinator: number,
  groups: readonly string[],
): Promise<[string, GroupDescription][]> {
  const request = { groups, includeAuthorizedOperations: false }
  const reply = groups.length === 0 ? { groups: [] } : await ask(client.broker(coordinator), describeGroups, request)
  return reply.groups.flatMap((group): [string, GroupDescription][] => {
    if (group.errorCode === Errors.GROUP_ID_NOT_FOUND) return []
    check(group.errorCode, `group ${group.groupId}`)
    const { groupId, groupState, protocolType, protocolData } = group
    const members = group.members.map((m) => ({
      memberId: m.memberId,
      instanceId: m.groupInstanceId,
      clientId: m.clientId,
      host: m.clientHost,
      assigned: protocolType === 'consumer' ? assigned(m.memberAssignment) : [],
      target: null,
      epoch: null,
    }))
    return [[groupId, { state: groupState, assignor: protocolData, members, epochs: null }]]
  })
}

/** Empty bytes until the leader has assigned. */
function assigned(bytes: Uint8Array): TopicPartition[] {
  if (bytes.length === 0) return []
  return decodeAssignment(bytes).assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
