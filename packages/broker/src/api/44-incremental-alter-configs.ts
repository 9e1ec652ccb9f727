// IncrementalAlterConfigs is answered by the active controller; every broker then replays the records.
import { serverNumber } from '@faultline/controller'
import { type alterConfigs, incrementalAlterConfigs } from '@faultline/protocol'
import { forwarded } from './forward.ts'
import type { ApiHandler } from './handler.ts'

/** Of this API and of the one that it superseded. */
export function forwardedConfigs(api: typeof incrementalAlterConfigs | typeof alterConfigs): ApiHandler {
  return forwarded(
    api,
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
}

export const incrementalAlterConfigsHandler = forwardedConfigs(incrementalAlterConfigs)
