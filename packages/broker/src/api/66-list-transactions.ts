// ListTransactions: the transactional ids that this broker coordinates (KIP-664).
import { listTransactions } from '@faultline/protocol'
import { handler } from './handler.ts'

export const listTransactionsHandler = handler(listTransactions, (request, { broker }) =>
  broker.transactions.coordinator.listTransactions(request),
)
