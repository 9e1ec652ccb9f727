// Transactional ids that nobody has used for transactional.id.expiration.ms are forgotten.
import { Errors } from '@faultline/protocol'
import type { Transaction } from './transaction.ts'
import { transactionTombstone } from './transaction-records.ts'
import type { TransactionShard } from './transaction-shard.ts'

export function removeExpired(shard: TransactionShard): void {
  const now = shard.context.clock.wall()
  const expired = [...shard.transactions.values()].filter(
    (t) => isIdle(t) && t.lastUpdateTimestamp + shard.config.expirationMs <= now,
  )
  if (expired.length === 0) return
  // What the log refused is tried again at the next check.
  const error = shard.context.appendInParts(expired.map((t) => transactionTombstone(t.transactionalId)))
  if (error === Errors.NONE) shard.context.emit('transaction.expired', { transactionalIds: expired.length })
}

function isIdle({ state }: Transaction): boolean {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'
}
