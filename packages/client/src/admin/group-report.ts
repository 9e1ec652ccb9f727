// A group with its positions: what its coordinator knows, beside where the partitions end.
import type { ClusterClient } from '../cluster-client.ts'
import { askAll, type FromAll } from './ask.ts'
import { describeGroupsOf, type GroupDescription, groupsOf, type Listed } from './groups.ts'
import type { TopicPartition } from './leaders.ts'
import { type Committed, committedOffsets, endOffsets } from './offsets.ts'

export interface GroupPosition extends TopicPartition {
  readonly committed: number | null
  /** Null when nobody leads the partition, or its topic is gone. */
  readonly end: number | null
  readonly lag: number | null
  /** The member that it is assigned to. */
  readonly owner: string | null
}

export interface GroupReport extends Listed {
  /** Undefined for a type of group that is only listed. */
  readonly description: GroupDescription | undefined
  readonly positions: readonly GroupPosition[]
  /** Null when nothing is committed, or not every end is known. */
  readonly lag: number | null
}

interface Known extends Listed {
  readonly description: GroupDescription | undefined
  readonly committed: readonly Committed[]
}

/** Every group, by id; `silent` are the coordinators whose groups are missing. */
export async function reportGroups(client: ClusterClient): Promise<FromAll<GroupReport>> {
  const { answers, silent } = await askAll(client, (coordinator) => knownBy(client, coordinator))
  const groups = answers.flat().sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  const ends = await endsOf(client, groups)
  return { answers: groups.map((group) => reportOf(group, ends)), silent }
}

async function knownBy(client: ClusterClient, coordinator: number): Promise<Known[]> {
  const listed = await groupsOf(client, coordinator)
  if (listed.length === 0) return []
  const ids = listed.map((g) => g.groupId)
  const [descriptions, committed] = await Promise.all([
    describeGroupsOf(client, coordinator, listed),
    committedOffsets(client, coordinator, ids),
  ])
  return listed.map((group, i) => {
    const description = descriptions.get(group.groupId)
    return { ...group, state: description?.state ?? group.state, description, committed: committed[i]! }
  })
}

type Ends = ReadonlyMap<string, number>

async function endsOf(client: ClusterClient, groups: readonly Known[]): Promise<Ends> {
  const wanted = new Map(groups.flatMap(partitionsOf).map((at) => [nameOf(at), at]))
  return new Map((await endOffsets(client, [...wanted.values()])).map((end) => [nameOf(end), end.offset]))
}

/** Committed or assigned. */
function partitionsOf({ committed, description }: Known): TopicPartition[] {
  return [...committed, ...(description?.members ?? []).flatMap((m) => m.assigned)]
}

function reportOf({ committed, ...group }: Known, ends: Ends): GroupReport {
  const owners = new Map(
    (group.description?.members ?? []).flatMap((m) => m.assigned.map((at): [string, string] => [nameOf(at), m.memberId])),
  )
  const offsets = new Map(committed.map((c) => [nameOf(c), c.offset]))
  const wanted = new Map(partitionsOf({ ...group, committed }).map((at) => [nameOf(at), at]))
  const positions = [...wanted]
    .sort(([, a], [, b]) => inOrder(a, b))
    .map(([name, { topic, partition }]) => {
      const [offset, end, owner] = [offsets.get(name) ?? null, ends.get(name) ?? null, owners.get(name) ?? null]
      const lag = offset === null || end === null ? null : Math.max(0, end - offset)
      return { topic, partition, committed: offset, end, lag, owner }
    })
  const held = positions.filter((p) => p.committed !== null)
  const known = held.length > 0 && held.every((p) => p.lag !== null)
  return { ...group, positions, lag: known ? held.reduce((sum, p) => sum + p.lag!, 0) : null }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

function inOrder(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}
