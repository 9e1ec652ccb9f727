// EndTxn: the coordinator decides, answers when that cannot be lost any more, and then tells the partitions.
import { endTxn, Errors } from '@faultline/protocol'
import { handler } from './handler.ts'

/** Before, clients did not know PRODUCER_FENCED (KIP-588). */
const PRODUCER_FENCED_SINCE = 2

export const endTxnHandler = handler(endTxn, async (request, { broker, version }) => {
  const { error, producerId, producerEpoch } = await broker.transactions.coordinator.endTransaction(request, version)
  const fenced = error === Errors.PRODUCER_FENCED && version < PRODUCER_FENCED_SINCE
  return { errorCode: fenced ? Errors.INVALID_PRODUCER_EPOCH : error, producerId, producerEpoch }
})
