// ListOffsets: earliest, latest, the offset of a timestamp, and the special ones (KIP-734, KIP-405, KIP-1005, KIP-1023).
import { Errors, listOffsets, type RequestOf, type ResponseInput } from '@faultline/protocol'
import type { Partition } from '../replica/partition.ts'
import { handler, type RequestContext } from './handler.ts'

type Topic = RequestOf<typeof listOffsets>['topics'][number]
type Wanted = Topic['partitions'][number]
type Found = NonNullable<NonNullable<ResponseInput<typeof listOffsets>['topics']>[number]['partitions']>[number]

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6

/** From this version an offset comes with its leader epoch (KIP-320). */
const EPOCHS = 4

/** The version from which each special timestamp is known. */
const KNOWN_FROM: ReadonlyMap<number, number> = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])

interface Scope {
  readonly context: RequestContext
  readonly replicaId: number
  readonly committed: boolean
}

export const listOffsetsHandler = handler(listOffsets, (request, context) => {
  const scope = { context, replicaId: request.replicaId, committed: request.isolationLevel === 1 }
  const keys = request.topics.flatMap((t) => t.partitions.map((p) => `${t.name}:${p.partitionIndex}`))
  const repeated = new Set(keys.filter((key, i) => keys.indexOf(key) !== i))
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((wanted) =>
      repeated.has(`${name}:${wanted.partitionIndex}`) ? failed(wanted, Errors.INVALID_REQUEST) : find(scope, name, wanted),
    ),
  }))
  return { topics }
})

function find(scope: Scope, topic: string, wanted: Wanted): Found {
  const { broker, version } = scope.context
  if (wanted.timestamp < 0 && version < (KNOWN_FROM.get(wanted.timestamp) ?? Number.POSITIVE_INFINITY)) {
    return failed(wanted, Errors.UNSUPPORTED_VERSION)
  }
  const partition = broker.replicas.byName(topic, wanted.partitionIndex)
  if (!partition) {
    const known = broker.hasPartition(topic, wanted.partitionIndex)
    return failed(wanted, known ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION)
  }
  const epoch = partition.checkEpoch(wanted.currentLeaderEpoch)
  if (epoch !== Errors.NONE) return failed(wanted, epoch)
  if (!partition.leads && scope.replicaId !== -2) return failed(wanted, Errors.NOT_LEADER_OR_FOLLOWER)
  return lookUp(scope, partition, wanted)
}

function lookUp({ context, replicaId, committed }: Scope, partition: Partition, wanted: Wanted): Found {
  const { log } = partition
  const limit = replicaId !== -1 ? log.logEndOffset : committed ? log.lastStableOffset : log.highWatermark
  const found = (offset: number, timestamp: number, leaderEpoch: number): Found => ({
    partitionIndex: wanted.partitionIndex,
    errorCode: Errors.NONE,
    offset,
    timestamp,
    ...(context.version >= EPOCHS ? { leaderEpoch } : {}),
  })
  const nothing = found(-1, -1, -1)
  // A new leader does not know yet which of its records are committed: what it says now could go backwards (KIP-207).
  const unknown = replicaId === -1 && partition.highWatermarkUnknown
  const unavailable = failed(wanted, context.version >= 5 ? Errors.OFFSET_NOT_AVAILABLE : Errors.LEADER_NOT_AVAILABLE)
  switch (wanted.timestamp) {
    case LATEST:
      return unknown ? unavailable : found(limit, -1, partition.leaderEpoch)
    case EARLIEST:
    case EARLIEST_LOCAL:
    case EARLIEST_PENDING_UPLOAD:
      return found(log.logStartOffset, -1, log.epochOf(log.logStartOffset) ?? -1)
    case LATEST_TIERED:
      return nothing
    default: {
      const at =
        wanted.timestamp === MAX_TIMESTAMP ? log.maxTimestamp() : log.offsetForTimestamp(wanted.timestamp, log.logEndOffset)
      if (!at) return nothing
      if (at.offset < limit) return found(at.offset, at.timestamp, at.leaderEpoch)
      return unknown ? unavailable : nothing
    }
  }
}

function failed({ partitionIndex }: Wanted, errorCode: number): Found {
  return { partitionIndex, errorCode, offset: -1, timestamp: -1 }
}
