// OffsetCommit: the group's coordinator writes positions down.
import { offsetCommit } from '@faultline/protocol'
import { groupClient } from '../coordinator/group-client.ts'
import { handler } from './handler.ts'

export const offsetCommitHandler = handler(offsetCommit, (request, context) =>
  context.broker.groups.coordinator.commitOffsets(request, groupClient(context)),
)
