// DeleteGroups: removes empty groups.
import { deleteGroups } from '@faultline/protocol'
import { handler } from './handler.ts'

export const deleteGroupsHandler = handler(deleteGroups, (request, { broker }) => broker.groups.coordinator.deleteGroups(request))
