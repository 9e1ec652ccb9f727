// OffsetDelete: forgets positions in topics that a group does not read.
import { offsetDelete } from '@faultline/protocol'
import { handler } from './handler.ts'

export const offsetDeleteHandler = handler(offsetDelete, (request, { broker }) =>
  broker.groups.coordinator.deleteOffsets(request),
)
