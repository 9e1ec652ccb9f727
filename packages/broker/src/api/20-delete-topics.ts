// DeleteTopics is answered by the active controller.
import { deleteTopics, ZERO_UUID } from '@faultline/protocol'
import { forwarded } from './forward.ts'

export const deleteTopicsHandler = forwarded(
  deleteTopics,
  (request) => request.timeoutMs,
  (request, errorCode) => ({
    responses: [...request.topics, ...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))].map(
      ({ name, topicId }) => ({
        name,
        topicId,
        errorCode,
      }),
    ),
  }),
)
