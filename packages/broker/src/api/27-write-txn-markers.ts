// WriteTxnMarkers: the end of transactions, on the partitions that are led here. Markers of __consumer_offsets go through the group
// coordinator, whose state they change.
import type { TransactionEnd } from '@faultline/coordinator'
import { buildEndTransactionMarker, type ErrorCode, Errors, type RequestOf, writeTxnMarkers } from '@faultline/protocol'
import type { Broker } from '../broker.ts'
import { GROUP_TOPIC } from '../coordinator/group-coordination.ts'
import { DelayedProduce } from '../delayed-produce.ts'
import { handler, type RequestContext } from './handler.ts'

type Marker = RequestOf<typeof writeTxnMarkers>['markers'][number]

/** As long as a coordinator waits for an answer. */
const TIMEOUT_MS = 5000

export const writeTxnMarkersHandler = handler(writeTxnMarkers, async (request, context) => {
  const written = await Promise.all(request.markers.map((marker) => writeMarker(marker, context)))
  return { markers: byProducer(written.flat()) }
})

interface Written {
  readonly producerId: number
  readonly topic: string
  readonly partitionIndex: number
  readonly errorCode: ErrorCode
}

/** A producer has one answer for a partition, the last one, however many of the markers were its own. */
function byProducer(written: readonly Written[]) {
  const producers = new Map<number, Map<string, Map<number, ErrorCode>>>()
  for (const { producerId, topic, partitionIndex, errorCode } of written) {
    const topics = entry(producers, producerId, () => new Map<string, Map<number, ErrorCode>>())
    entry(topics, topic, () => new Map<number, ErrorCode>()).set(partitionIndex, errorCode)
  }
  return [...producers].map(([producerId, topics]) => ({
    producerId,
    topics: [...topics].map(([name, partitions]) => ({
      name,
      partitions: [...partitions].map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
    })),
  }))
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}

async function writeMarker(marker: Marker, context: RequestContext): Promise<Written[]> {
  const end = {
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    committed: marker.transactionResult,
    coordinatorEpoch: marker.coordinatorEpoch,
    transactionVersion: marker.transactionVersion,
  }
  const writeOne = async (topic: string, partitionIndex: number): Promise<Written> => ({
    producerId: marker.producerId,
    topic,
    partitionIndex,
    errorCode: await writeTo(context, topic, partitionIndex, end),
  })
  return Promise.all(
    marker.topics.flatMap(({ name, partitionIndexes }) => partitionIndexes.map((index) => writeOne(name, index))),
  )
}

async function writeTo(context: RequestContext, topic: string, partition: number, end: TransactionEnd): Promise<ErrorCode> {
  // There is no such marker.
  if (end.producerId < 0 || end.producerEpoch < 0) return Errors.UNKNOWN_SERVER_ERROR
  if (topic === GROUP_TOPIC) return endForGroups(context.broker, partition, end)
  return append(context, topic, partition, end)
}

/** The coordinator that asks tries again at the partition's leader, when there is one. */
async function endForGroups(broker: Broker, partition: number, end: TransactionEnd): Promise<ErrorCode> {
  if (!broker.hasPartition(GROUP_TOPIC, partition)) return Errors.UNKNOWN_TOPIC_OR_PARTITION
  const error = await broker.groups.coordinator.endTransaction(partition, end)
  switch (error) {
    case Errors.NOT_COORDINATOR:
    case Errors.COORDINATOR_NOT_AVAILABLE:
    case Errors.COORDINATOR_LOAD_IN_PROGRESS:
      return Errors.NOT_LEADER_OR_FOLLOWER
    default:
      return error
  }
}

async function append({ broker }: RequestContext, topic: string, index: number, end: TransactionEnd): Promise<ErrorCode> {
  const partition = broker.replicas.byName(topic, index)
  if (!partition) return broker.hasPartition(topic, index) ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION
  const { producerId, producerEpoch, coordinatorEpoch, committed, transactionVersion } = end
  const result = committed ? 'commit' : 'abort'
  const marker = buildEndTransactionMarker({ producerId, producerEpoch, coordinatorEpoch, result }, broker.clock.wall())
  const appended = partition.append(marker, -1, 'coordinator', { transactionVersion })
  if (appended.error !== Errors.NONE) return appended.error
  if (broker.faults.pointsArmed) broker.faults.point('markers.appended', { topic, partition: index, producerId })
  const response = { errorCode: Errors.NONE as ErrorCode }
  await new DelayedProduce(broker.clock, [{ partition, end: appended.lastOffset + 1, response }], TIMEOUT_MS).done
  return response.errorCode
}
