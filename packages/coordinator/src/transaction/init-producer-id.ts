// InitProducerId for a transactional id: whoever comes last owns it, and everybody before is fenced by a higher epoch (KIP-98, KIP-360).
import {
  type ErrorCode,
  Errors,
  type initProducerId,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  type RequestOf,
} from '@faultline/protocol'
import { NEEDS_PRODUCER_ID, type Outcome, refused } from './outcome.ts'
import { fenceAndAbort } from './fence.ts'
import { isEpochExhausted, isPreparing, newTransaction, NO_PARTITIONS, type Transaction, transition } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'
import { writeTransaction } from './write-transaction.ts'

type InitRequest = RequestOf<typeof initProducerId>

/** What the producer believes to have, since version 3; undefined for one that starts anew. */
interface Expected {
  readonly producerId: number
  readonly epoch: number
}

export function initTransactionalId(
  shard: TransactionShard,
  transactionalId: string,
  request: InitRequest,
  freshProducerId: number | undefined,
): Outcome {
  const known = shard.transactions.get(transactionalId)
  if (!known && freshProducerId === undefined) return NEEDS_PRODUCER_ID
  const transaction = known ?? newTransaction(transactionalId, freshProducerId!, shard.context.clock.wall())
  const expected =
    request.producerId === NO_PRODUCER_ID ? undefined : { producerId: request.producerId, epoch: request.producerEpoch }
  if (isPreparing(transaction)) return refused(Errors.CONCURRENT_TRANSACTIONS)
  if (expected && !isOwner(transaction, expected)) return refused(Errors.PRODUCER_FENCED)
  if (transaction.state === 'Ongoing') return abortFirst(shard, transaction, freshProducerId)
  return nextEpoch(shard, transaction, request.transactionTimeoutMs, expected, freshProducerId)
}

/** The epoch is looked at when it goes up. One from before the producer id changed may be a retry whose answer was lost. */
function isOwner({ producerEpoch, producerId, previousProducerId }: Transaction, expected: Expected): boolean {
  if (producerEpoch === NO_PRODUCER_EPOCH || expected.producerId === producerId) return true
  return expected.producerId === previousProducerId && isEpochExhausted(expected.epoch)
}

/** The transaction of the producer before is aborted; the client asks again, and then gets an epoch. */
function abortFirst(shard: TransactionShard, transaction: Transaction, freshProducerId: number | undefined): Outcome {
  const error = fenceAndAbort(shard, transaction, freshProducerId)
  if (error === NEEDS_PRODUCER_ID) return NEEDS_PRODUCER_ID
  return refused(error === Errors.NONE ? Errors.CONCURRENT_TRANSACTIONS : error)
}

function nextEpoch(
  shard: TransactionShard,
  transaction: Transaction,
  timeoutMs: number,
  expected: Expected | undefined,
  freshProducerId: number | undefined,
): Outcome {
  const { transactionalId, producerEpoch } = transaction
  const now = shard.context.clock.wall()
  const idle = {
    timeoutMs,
    partitions: NO_PARTITIONS,
    startTimestamp: -1,
    lastUpdateTimestamp: now,
    nextProducerId: NO_PRODUCER_ID,
  }
  if (isEpochExhausted(producerEpoch) && (!expected || expected.epoch === producerEpoch)) {
    if (freshProducerId === undefined) return NEEDS_PRODUCER_ID
    const rotated = transition(transaction, 'Empty', { ...idle, producerId: freshProducerId, producerEpoch: 0 })
    return owned(shard, rotated, expected ? producerEpoch : NO_PRODUCER_EPOCH)
  }
  const lastEpoch = shard.lastEpochs.get(transactionalId) ?? NO_PRODUCER_EPOCH
  const bumped = { ...idle, producerEpoch: producerEpoch + 1 }
  if (!expected) return owned(shard, transition(transaction, 'Empty', bumped), NO_PRODUCER_EPOCH)
  if (producerEpoch === NO_PRODUCER_EPOCH || expected.epoch === producerEpoch)
    return owned(shard, transition(transaction, 'Empty', bumped), producerEpoch)
  // The answer to the last bump was lost: nobody else can have asked since.
  if (expected.epoch === lastEpoch) return owned(shard, transition(transaction, 'Empty', idle), lastEpoch)
  return refused(Errors.PRODUCER_FENCED)
}

function owned(shard: TransactionShard, next: Transaction, lastEpoch: number): Outcome {
  const error: ErrorCode = writeTransaction(shard, next)
  if (error !== Errors.NONE) return refused(error)
  shard.lastEpochs.set(next.transactionalId, lastEpoch)
  return { error: Errors.NONE, producerId: next.producerId, producerEpoch: next.producerEpoch }
}
