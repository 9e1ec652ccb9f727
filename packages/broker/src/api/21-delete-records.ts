// DeleteRecords: the leader's log starts later, and followers follow; answered when they have (KIP-107).
import { deleteRecords, Errors, type ResponseInput } from '@faultline/protocol'
import type { Broker } from '../broker.ts'
import { DelayedDeleteRecords, type DeletedPartition } from '../delayed-delete-records.ts'
import { isInternalTopic } from './03-metadata.ts'
import { handler } from './handler.ts'

type TopicResult = NonNullable<ResponseInput<typeof deleteRecords>['topics']>[number]
type PartitionResult = NonNullable<TopicResult['partitions']>[number]

export const deleteRecordsHandler = handler(deleteRecords, async (request, { broker, onClose }) => {
  const waiting: DeletedPartition[] = []
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset }) => deleteBefore(broker, name, partitionIndex, offset, waiting)),
  }))
  const delayed = new DelayedDeleteRecords(broker.clock, waiting, request.timeoutMs)
  onClose(() => delayed.abandon())
  await delayed.done
  return { topics }
})

function deleteBefore(
  broker: Broker,
  topic: string,
  partitionIndex: number,
  offset: number,
  waiting: DeletedPartition[],
): PartitionResult {
  const failed = (errorCode: number) => ({ partitionIndex, lowWatermark: -1, errorCode })
  if (!broker.hasPartition(topic, partitionIndex)) return failed(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  if (isInternalTopic(topic)) return failed(Errors.INVALID_TOPIC_EXCEPTION)
  const partition = broker.replicas.byName(topic, partitionIndex)
  if (!partition) return failed(Errors.NOT_LEADER_OR_FOLLOWER)
  const deleted = partition.deleteRecords(offset)
  if ('error' in deleted) return failed(deleted.error)
  const response = { partitionIndex, lowWatermark: partition.lowWatermark, errorCode: Errors.NONE }
  waiting.push({ partition, before: deleted.before, response })
  return response
}
