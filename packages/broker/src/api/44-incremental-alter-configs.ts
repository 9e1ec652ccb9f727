// IncrementalAlterConfigs is answered by the active controller; every broker then replays the records.
import { serverNumber } from '@faultline/controller'
import { incrementalAlterConfigs } from '@faultline/protocol'
import { forwarded } from './forward.ts'

export const incrementalAlterConfigsHandler = forwarded(
  incrementalAlterConfigs,
  (_request, { broker }) => serverNumber(broker.statics, 'request.timeout.ms'),
  (request, errorCode) => ({
    responses: request.resources.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      errorCode,
      errorMessage: null,
    })),
  }),
)
