// InitProducerId: an id for an idempotent producer. Transactional producers need the transaction coordinator.
import { Errors, initProducerId } from '@faultline/protocol'
import { handler } from './handler.ts'

export const initProducerIdHandler = handler(initProducerId, async (request, { broker }) => {
  const failed = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 })
  // Both or neither (KIP-360).
  if ((request.producerId === -1) !== (request.producerEpoch === -1)) return failed(Errors.INVALID_REQUEST)
  if (request.transactionalId === '') return failed(Errors.INVALID_REQUEST)
  if (request.transactionalId !== null) return failed(Errors.COORDINATOR_NOT_AVAILABLE)
  const producerId = await broker.producerIds.next()
  return producerId === undefined
    ? failed(Errors.COORDINATOR_LOAD_IN_PROGRESS)
    : { errorCode: Errors.NONE, producerId, producerEpoch: 0 }
})
