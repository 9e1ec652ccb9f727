// SyncGroup: the leader hands out assignments, everyone gets theirs.
import { syncGroup } from '@faultline/protocol'
import { groupClient } from '../coordinator/group-client.ts'
import { handler } from './handler.ts'

export const syncGroupHandler = handler(syncGroup, (request, context) =>
  context.broker.groups.coordinator.syncGroup(request, groupClient(context)),
)
