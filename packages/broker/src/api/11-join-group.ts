// JoinGroup: a member enters a rebalance; the answer waits for the others.
import { joinGroup } from '@faultline/protocol'
import { groupClient } from '../coordinator/group-client.ts'
import { handler } from './handler.ts'

export const joinGroupHandler = handler(joinGroup, (request, context) =>
  context.broker.groups.coordinator.joinGroup(request, groupClient(context)),
)
