// ConsumerGroupDescribe: epochs, members, and what they have.
import { consumerGroupDescribe } from '@faultline/protocol'
import { handler } from './handler.ts'

export const consumerGroupDescribeHandler = handler(consumerGroupDescribe, (request, { broker }) =>
  broker.groups.coordinator.describeConsumerGroups(request),
)
