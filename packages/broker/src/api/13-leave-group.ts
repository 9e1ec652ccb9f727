// LeaveGroup: members leave.
import { leaveGroup } from '@faultline/protocol'
import { groupClient } from '../coordinator/group-client.ts'
import { handler } from './handler.ts'

export const leaveGroupHandler = handler(leaveGroup, (request, context) =>
  context.broker.groups.coordinator.leaveGroup(request, groupClient(context)),
)
