// Writes the next value of a transactional id, and says so to whoever watches.
import { type ErrorCode, Errors } from '@faultline/protocol'
import { coordinatorError } from '../runtime/append-error.ts'
import type { Transaction } from './transaction.ts'
import { transactionRecord } from './transaction-records.ts'
import type { TransactionShard } from './transaction-shard.ts'

/** NONE, or why nothing was changed. */
export function writeTransaction(shard: TransactionShard, next: Transaction): ErrorCode {
  const { transactionalId, state, producerId, producerEpoch } = next
  const before = shard.transactions.get(transactionalId)
  const error = coordinatorError(shard.context.append([transactionRecord(next)]))
  if (error === Errors.NONE && before?.state !== state)
    shard.context.emit('transaction.state', { transactionalId, state, producerId, producerEpoch })
  return error
}
