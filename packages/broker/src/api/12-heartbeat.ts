// Heartbeat: a member is alive.
import { heartbeat } from '@faultline/protocol'
import { handler } from './handler.ts'

export const heartbeatHandler = handler(heartbeat, (request, { broker }) => broker.groups.coordinator.heartbeat(request))
