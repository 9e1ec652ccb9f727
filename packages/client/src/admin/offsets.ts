// Positions: what groups have committed, and where partitions end.
import { Errors, listOffsets, needsMetadata, offsetFetch } from '@faultline/protocol'
import type { ClusterClient } from '../cluster-client.ts'
import { ask, check } from './ask.ts'
import { askLeaders, type TopicPartition } from './leaders.ts'

/** From 10 on topics go by their ids, and those that are deleted are left out. */
const NAMES_UNTIL = 9
const LATEST = -1
const EARLIEST = -2
const CONSUMER = -1

export interface Committed extends TopicPartition {
  readonly offset: number
}

/** Of groups with one coordinator, in the order asked. */
export async function committedOffsets(
  client: ClusterClient,
  coordinator: number,
  groups: readonly string[],
): Promise<Committed[][]> {
  const request = { groups: groups.map((groupId) => ({ groupId, topics: null })), requireStable: false }
  const reply = await ask(client.broker(coordinator), offsetFetch, request, NAMES_UNTIL)
  return reply.groups.map(({ groupId, errorCode, topics }) => {
    check(errorCode, `offsets of group ${groupId}`)
    return topics.flatMap(({ name, partitions }) =>
      partitions
        .filter((p) => p.errorCode === Errors.NONE && p.committedOffset >= 0)
        .map((p) => ({ topic: name, partition: p.partitionIndex, offset: p.committedOffset })),
    )
  })
}

export interface OffsetFound extends TopicPartition {
  /** Of the end, the high watermark: where a consumer that reads everything is. */
  readonly offset: number
}

/** Partitions that are not there, or that nobody leads now, are left out. */
export function endOffsets(client: ClusterClient, partitions: readonly TopicPartition[]): Promise<OffsetFound[]> {
  return offsetsAt(client, partitions, LATEST)
}

/** Where partitions begin. */
export function startOffsets(client: ClusterClient, partitions: readonly TopicPartition[]): Promise<OffsetFound[]> {
  return offsetsAt(client, partitions, EARLIEST)
}

function offsetsAt(client: ClusterClient, partitions: readonly TopicPartition[], timestamp: number): Promise<OffsetFound[]> {
  return askLeaders(client, partitions, async (leader, topics) => {
    const wanted = topics.map((t) => ({
      name: t.name,
      partitions: t.partitions.map((partitionIndex) => ({ partitionIndex, timestamp })),
    }))
    const reply = await ask(leader, listOffsets, { replicaId: CONSUMER, topics: wanted })
    return reply.topics.flatMap(({ name, partitions: found }) =>
      found.flatMap(({ partitionIndex, errorCode, offset }) => {
        if (needsMetadata(errorCode)) client.forget(name)
        return errorCode === Errors.NONE ? [{ topic: name, partition: partitionIndex, offset }] : []
      }),
    )
  })
}
