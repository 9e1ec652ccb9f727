// OffsetFetch: what groups have committed.
import { offsetFetch } from '@faultline/protocol'
import { groupClient } from '../coordinator/group-client.ts'
import { handler } from './handler.ts'

export const offsetFetchHandler = handler(offsetFetch, (request, context) =>
  context.broker.groups.coordinator.fetchOffsets(request, groupClient(context)),
)
