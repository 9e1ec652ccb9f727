// AddOffsetsToTxn: the partition that holds a group's offsets becomes part of a transaction.
import { partitionOf } from '@faultline/coordinator'
import { serverNumber } from '@faultline/controller'
import { addOffsetsToTxn, Errors } from '@faultline/protocol'
import { GROUP_TOPIC } from '../coordinator/group-coordination.ts'
import { handler } from './handler.ts'

/** Before, clients did not know PRODUCER_FENCED (KIP-588). */
const PRODUCER_FENCED_SINCE = 2

export const addOffsetsToTxnHandler = handler(addOffsetsToTxn, async (request, { broker, version }) => {
  const { transactionalId, producerId, producerEpoch, groupId } = request
  const topic = broker.image.topicsByName.get(GROUP_TOPIC)
  const count = topic?.partitions.length ?? serverNumber(broker.statics, 'offsets.topic.num.partitions')
  const partitions = new Map([[GROUP_TOPIC, new Set([partitionOf(groupId, count)])]])
  const error = await broker.transactions.coordinator.addPartitions({ transactionalId, producerId, producerEpoch }, partitions, 0)
  const fenced = error === Errors.PRODUCER_FENCED && version < PRODUCER_FENCED_SINCE
  return { errorCode: fenced ? Errors.INVALID_PRODUCER_EPOCH : error }
})
