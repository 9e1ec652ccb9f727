// CreatePartitions is answered by the active controller.
import { createPartitions } from '@faultline/protocol'
import { forwarded } from './forward.ts'

export const createPartitionsHandler = forwarded(
  createPartitions,
  (request) => request.timeoutMs,
  (request, errorCode) => ({ results: request.topics.map(({ name }) => ({ name, errorCode })) }),
)
