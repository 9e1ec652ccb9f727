// A transaction that is open for longer than its producer asked for is aborted, and its producer fenced.
import { Errors } from '@faultline/protocol'
import { fenceAndAbort } from './fence.ts'
import { NEEDS_PRODUCER_ID } from './outcome.ts'
import type { Transaction } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'

export function abortTimedOut(shard: TransactionShard): void {
  for (const transaction of [...shard.transactions.values()]) if (isOver(shard, transaction)) abort(shard, transaction, undefined)
}

function isOver(shard: TransactionShard, { state, startTimestamp, timeoutMs }: Transaction): boolean {
  return state === 'Ongoing' && startTimestamp + timeoutMs < shard.context.clock.wall()
}

function abort(shard: TransactionShard, transaction: Transaction, freshProducerId: number | undefined): void {
  const { transactionalId } = transaction
  const result = fenceAndAbort(shard, transaction, freshProducerId)
  if (result === NEEDS_PRODUCER_ID) return abortWithProducerId(shard, transaction)
  // What the log refused is tried again at the next check.
  if (result === Errors.NONE) shard.context.emit('transaction.timed-out', { transactionalId, timeoutMs: transaction.timeoutMs })
}

function abortWithProducerId(shard: TransactionShard, transaction: Transaction): void {
  const goOn = shard.context.whileActive<number | undefined>((producerId) => {
    const unchanged = shard.transactions.get(transaction.transactionalId) === transaction
    if (unchanged && producerId !== undefined) abort(shard, transaction, producerId)
  })
  void shard.producerIds.next().then(goOn)
}
