// AddPartitionsToTxn: partitions become part of the open transaction, or open one; brokers also ask whether they are (KIP-890).
import { type ErrorCode, Errors } from '@faultline/protocol'
import { hasPartitions, isPreparing, type Transaction, type TransactionPartitions, transition, union } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'
import { writeTransaction } from './write-transaction.ts'

export interface ProducerClaim {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

export function addPartitions(
  shard: TransactionShard,
  claim: ProducerClaim,
  partitions: TransactionPartitions,
  clientTransactionVersion: number,
): ErrorCode {
  const transaction = shard.transactions.get(claim.transactionalId)
  const error = checkAdd(transaction, claim)
  if (error !== Errors.NONE) return error
  const { state, startTimestamp } = transaction!
  if (state === 'Ongoing' && hasPartitions(transaction!, partitions)) return Errors.NONE
  const now = shard.context.clock.wall()
  const next = transition(transaction!, 'Ongoing', {
    partitions: union(transaction!.partitions, partitions),
    startTimestamp: state === 'Ongoing' ? startTimestamp : now,
    lastUpdateTimestamp: now,
    clientTransactionVersion,
  })
  return writeTransaction(shard, next)
}

/** Whether the producer may speak for the transactional id, and now. While a transaction ends, Kafka does not look at who asks. */
function checkAdd(transaction: Transaction | undefined, claim: ProducerClaim): ErrorCode {
  if (transaction && isPreparing(transaction)) return Errors.CONCURRENT_TRANSACTIONS
  if (transaction?.producerId !== claim.producerId) return Errors.INVALID_PRODUCER_ID_MAPPING
  return transaction.producerEpoch === claim.producerEpoch ? Errors.NONE : Errors.PRODUCER_FENCED
}

function checkVerify(transaction: Transaction | undefined, claim: ProducerClaim): ErrorCode {
  if (transaction?.producerId !== claim.producerId) return Errors.INVALID_PRODUCER_ID_MAPPING
  if (transaction.producerEpoch !== claim.producerEpoch) return Errors.PRODUCER_FENCED
  return isPreparing(transaction) ? Errors.CONCURRENT_TRANSACTIONS : Errors.NONE
}

/** The producer's last transaction is not complete yet, and nothing else is wrong. */
export function mayWait(shard: TransactionShard, claim: ProducerClaim): boolean {
  return checkAdd(shard.transactions.get(claim.transactionalId), claim) === Errors.CONCURRENT_TRANSACTIONS
}

/** For each partition, whether it is part of the transaction; nothing changes. */
export function verifyPartitions(shard: TransactionShard, claim: ProducerClaim): (topic: string, partition: number) => ErrorCode {
  const transaction = shard.transactions.get(claim.transactionalId)
  const error = checkVerify(transaction, claim)
  if (error !== Errors.NONE) return () => error
  return (topic, partition) => (transaction!.partitions.get(topic)?.has(partition) ? Errors.NONE : Errors.TRANSACTION_ABORTABLE)
}
