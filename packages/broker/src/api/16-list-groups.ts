// ListGroups: the groups that this broker coordinates.
import { listGroups } from '@faultline/protocol'
import { handler } from './handler.ts'

export const listGroupsHandler = handler(listGroups, (request, { broker }) => broker.groups.coordinator.listGroups(request))
