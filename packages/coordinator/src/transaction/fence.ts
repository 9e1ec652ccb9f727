// A producer loses its transactional id: its epoch goes up, and its open transaction is aborted.
import type { ErrorCode } from '@faultline/protocol'
import { NEEDS_PRODUCER_ID } from './outcome.ts'
import { prepareEnd } from './ending.ts'
import { isEpochExhausted, type Transaction, TRANSACTION_V2 } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'

/** The coordinator's own aborts are of the newest kind, whatever the producer speaks: the marker has a further epoch (KIP-890). */
export function fenceAndAbort(
  shard: TransactionShard,
  transaction: Transaction,
  freshProducerId: number | undefined,
): ErrorCode | typeof NEEDS_PRODUCER_ID {
  if (isEpochExhausted(transaction.producerEpoch) && freshProducerId === undefined) return NEEDS_PRODUCER_ID
  return prepareEnd(shard, transaction, { committed: false, version: TRANSACTION_V2, freshProducerId })
}
