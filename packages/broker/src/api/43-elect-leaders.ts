// ElectLeaders is answered by the active controller; who leads is in the metadata that every broker then replays.
import { failedElections } from '@faultline/controller'
import { electLeaders } from '@faultline/protocol'
import { forwarded } from './forward.ts'

export const electLeadersHandler = forwarded(
  electLeaders,
  (request) => request.timeoutMs,
  (request, error, version) => failedElections(request, version, error),
)
