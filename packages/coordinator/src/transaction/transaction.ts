// A transactional id as its last record describes it. A value: whoever changes something makes the next one, and writes it.
import { assert } from '@faultline/base'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '@faultline/protocol'
import { mayFollow, type TransactionState } from './transaction-state.ts'

/** By topic. */
export type TransactionPartitions = ReadonlyMap<string, ReadonlySet<number>>

export interface Transaction {
  readonly transactionalId: string
  readonly producerId: number
  /** The one before the last change of state: a retry from before the epochs ran out still has it. */
  readonly previousProducerId: number
  /** While a transaction ends whose epoch was the last one of its producer id: what the producer goes on with. */
  readonly nextProducerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  readonly partitions: TransactionPartitions
  /** When the transaction began; -1 before the first one. */
  readonly startTimestamp: number
  readonly lastUpdateTimestamp: number
  /** 2 for a producer that gets a new epoch with each transaction (KIP-890), else 0. */
  readonly clientTransactionVersion: number
}

export const NO_PARTITIONS: TransactionPartitions = new Map()
const NO_TIMESTAMP = -1

/** KIP-890: the epoch goes up with the end of each transaction. */
export const TRANSACTION_V2 = 2

/** The epoch 32767 is never a client's, so that a producer can always be fenced. */
export const MAX_EPOCH = 0x7fff

export function isEpochExhausted(epoch: number): boolean {
  return epoch >= MAX_EPOCH - 1
}

/** Nobody has used it yet: its first InitProducerId makes its epoch 0. */
export function newTransaction(transactionalId: string, producerId: number, now: number): Transaction {
  return {
    transactionalId,
    producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: 0,
    state: 'Empty',
    partitions: NO_PARTITIONS,
    startTimestamp: NO_TIMESTAMP,
    lastUpdateTimestamp: now,
    clientTransactionVersion: 0,
  }
}

type Changes = Partial<Omit<Transaction, 'transactionalId' | 'previousProducerId' | 'state'>>

/** The next value of `transaction`. What is not named stays. */
export function transition(transaction: Transaction, state: TransactionState, changes: Changes): Transaction {
  const { transactionalId, state: before, producerId } = transaction
  assert(mayFollow(before, state), `transactional id ${transactionalId}: ${before} to ${state}`)
  return { ...transaction, previousProducerId: producerId, ...changes, state }
}

export function hasPartitions({ partitions }: Transaction, wanted: TransactionPartitions): boolean {
  for (const [topic, indexes] of wanted) for (const index of indexes) if (!partitions.get(topic)?.has(index)) return false
  return true
}

export function union(a: TransactionPartitions, b: TransactionPartitions): TransactionPartitions {
  const all = new Map(a)
  for (const [topic, indexes] of b) all.set(topic, new Set([...(a.get(topic) ?? []), ...indexes]))
  return all
}

export function isPreparing({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}
