// CreateTopics is answered by the active controller.
import { createTopics } from '@faultline/protocol'
import { forwarded } from './forward.ts'

export const createTopicsHandler = forwarded(
  createTopics,
  (request) => request.timeoutMs,
  (request, errorCode) => ({ topics: request.topics.map(({ name }) => ({ name, errorCode, errorMessage: null, configs: [] })) }),
)
