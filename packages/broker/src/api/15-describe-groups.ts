// DescribeGroups: state and members.
import { describeGroups } from '@faultline/protocol'
import { groupClient } from '../coordinator/group-client.ts'
import { handler } from './handler.ts'

export const describeGroupsHandler = handler(describeGroups, (request, context) =>
  context.broker.groups.coordinator.describeGroups(request, groupClient(context)),
)
