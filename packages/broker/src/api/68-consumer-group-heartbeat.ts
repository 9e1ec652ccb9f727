// ConsumerGroupHeartbeat: a member of a consumer group joins, lives on, and leaves.
import { consumerGroupHeartbeat } from '@faultline/protocol'
import { groupClient } from '../coordinator/group-client.ts'
import { handler } from './handler.ts'

export const consumerGroupHeartbeatHandler = handler(consumerGroupHeartbeat, (request, context) =>
  context.broker.groups.coordinator.consumerHeartbeat(request, groupClient(context)),
)
