// InitProducerId: a producer id and epoch, for an idempotent producer from anybody, for a transactional one from its coordinator.
import { Errors, initProducerId } from '@faultline/protocol'
import { handler } from './handler.ts'

/** Before, clients did not know PRODUCER_FENCED (KIP-588). */
const PRODUCER_FENCED_SINCE = 4

export const initProducerIdHandler = handler(initProducerId, async (request, { broker, version }) => {
  const { error, producerId, producerEpoch } = await broker.transactions.coordinator.initProducerId(request)
  const fenced = error === Errors.PRODUCER_FENCED && version < PRODUCER_FENCED_SINCE
  return { errorCode: fenced ? Errors.INVALID_PRODUCER_EPOCH : error, producerId, producerEpoch }
})
