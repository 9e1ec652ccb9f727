// Transactions as __transaction_state holds them.
import {
  decodeTransactionLogValue,
  encodeTransactionLogKey,
  encodeTransactionLogValue,
  MalformedError,
} from '@faultline/protocol'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import type { Transaction } from './transaction.ts'
import { stateNumber, stateOfNumber } from './transaction-state.ts'

export function transactionRecord(transaction: Transaction): CoordinatorRecord {
  const { transactionalId, state, partitions } = transaction
  return {
    key: encodeTransactionLogKey(transactionalId),
    value: encodeTransactionLogValue({
      producerId: transaction.producerId,
      previousProducerId: transaction.previousProducerId,
      nextProducerId: transaction.nextProducerId,
      producerEpoch: transaction.producerEpoch,
      transactionTimeoutMs: transaction.timeoutMs,
      transactionStatus: stateNumber(state),
      transactionPartitions:
        state === 'Empty' ? null : [...partitions].map(([topic, indexes]) => ({ topic, partitionIds: [...indexes] })),
      transactionLastUpdateTimestampMs: transaction.lastUpdateTimestamp,
      transactionStartTimestampMs: transaction.startTimestamp,
      clientTransactionVersion: transaction.clientTransactionVersion,
    }),
  }
}

export function transactionTombstone(transactionalId: string): CoordinatorRecord {
  return { key: encodeTransactionLogKey(transactionalId), value: null }
}

/** Throws MalformedError. */
export function transactionOf(transactionalId: string, bytes: Uint8Array): Transaction {
  const value = decodeTransactionLogValue(bytes)
  const state = stateOfNumber(value.transactionStatus)
  if (!state) throw new MalformedError(`TransactionLogValue: status ${value.transactionStatus}`)
  const partitions = (value.transactionPartitions ?? []).map((p): [string, ReadonlySet<number>] => [
    p.topic,
    new Set(p.partitionIds),
  ])
  return {
    transactionalId,
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    timeoutMs: value.transactionTimeoutMs,
    state,
    partitions: new Map(partitions),
    startTimestamp: value.transactionStartTimestampMs,
    lastUpdateTimestamp: value.transactionLastUpdateTimestampMs,
    clientTransactionVersion: value.clientTransactionVersion,
  }
}
