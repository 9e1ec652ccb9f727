// DescribeTransactions and ListTransactions: what administrators see of transactional ids (KIP-664, KIP-994).
import {
  type describeTransactions,
  type ErrorCode,
  Errors,
  type listTransactions,
  type RequestOf,
  type ResponseInput,
} from '@faultline/protocol'
import { compileRegex } from '../regular-expression.ts'
import type { Transaction, TransactionPartitions } from './transaction.ts'
import { TRANSACTION_STATES } from './transaction-state.ts'
import type { TransactionShard } from './transaction-shard.ts'

export type DescribedTransaction = NonNullable<ResponseInput<typeof describeTransactions>['transactionStates']>[number]
export type ListedTransaction = NonNullable<ResponseInput<typeof listTransactions>['transactionStates']>[number]
export type ListRequest = RequestOf<typeof listTransactions>

export function describeTransaction(shard: TransactionShard, transactionalId: string): DescribedTransaction {
  const transaction = shard.transactions.get(transactionalId)
  if (!transaction) return describeRefused(transactionalId, Errors.TRANSACTIONAL_ID_NOT_FOUND)
  return {
    errorCode: Errors.NONE,
    transactionalId,
    transactionState: transaction.state,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: transaction.startTimestamp,
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    topics: [...partitionsOf(shard, transaction)].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  }
}

/** Of a transaction that ends: those that have no marker yet. */
function partitionsOf(shard: TransactionShard, { transactionalId, partitions }: Transaction): TransactionPartitions {
  const ending = shard.endings.get(transactionalId)
  if (!ending) return partitions
  const waiting = new Map<string, Set<number>>()
  for (const { topic, partition } of ending.waiting.values())
    waiting.set(topic, (waiting.get(topic) ?? new Set<number>()).add(partition))
  return waiting
}

export function describeRefused(transactionalId: string, errorCode: ErrorCode): DescribedTransaction {
  return { errorCode, transactionalId }
}

export function unknownStates({ stateFilters }: ListRequest): string[] {
  const names: readonly string[] = TRANSACTION_STATES
  return [...new Set(stateFilters)].filter((name) => !names.includes(name))
}

/** Whether an id is asked for (KIP-1152); undefined for a pattern that is none. */
export function matcherOf({ transactionalIdPattern }: ListRequest): ((transactionalId: string) => boolean) | undefined {
  if (transactionalIdPattern === null || transactionalIdPattern === '') return () => true
  const regex = compileRegex(transactionalIdPattern)
  return typeof regex === 'string' ? undefined : (id) => regex.matches(id)
}

export function listTransactionsOf(
  shard: TransactionShard,
  request: ListRequest,
  matches: (id: string) => boolean,
): ListedTransaction[] {
  const now = shard.context.clock.wall()
  return [...shard.transactions.values()]
    .filter((transaction) => isWanted(transaction, request, now) && matches(transaction.transactionalId))
    .map(({ transactionalId, producerId, state }) => ({ transactionalId, producerId, transactionState: state }))
}

function isWanted({ state, producerId, startTimestamp }: Transaction, request: ListRequest, now: number): boolean {
  const { stateFilters, producerIdFilters, durationFilter } = request
  if (stateFilters.length > 0 && !stateFilters.includes(state)) return false
  if (producerIdFilters.length > 0 && !producerIdFilters.includes(producerId)) return false
  return durationFilter < 0 || now - startTimestamp > durationFilter
}
