// DescribeTransactions: what this broker, as their coordinator, knows of transactional ids (KIP-664).
import { describeTransactions } from '@faultline/protocol'
import { handler } from './handler.ts'

export const describeTransactionsHandler = handler(describeTransactions, (request, { broker }) =>
  broker.transactions.coordinator.describeTransactions(request),
)
