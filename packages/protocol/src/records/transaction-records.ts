// What __transaction_state holds: a transactional id with its producer, its state and the partitions of its transaction.
import { array, int16, int32, int64, int8, message, string } from '../schema/index.ts'
import type { InputOf, ValueOf } from '../schema/fields.ts'
import { decodePrefixed, encodePrefixed, prefixOf } from './prefixed.ts'

export const transactionLogKey = message(
  'TransactionLogKey',
  { versions: '0', flexible: 'none' },
  { transactionalId: string('0') },
)

export const transactionLogValue = message(
  'TransactionLogValue',
  { versions: '0-1', flexible: '1+' },
  {
    producerId: int64('0+'),
    previousProducerId: int64('1+', { default: -1, tag: 0 }),
    nextProducerId: int64('1+', { default: -1, tag: 1 }),
    producerEpoch: int16('0+'),
    nextProducerEpoch: int16('1+', { default: -1, tag: 3 }),
    transactionTimeoutMs: int32('0+'),
    transactionStatus: int8('0+'),
    transactionPartitions: array('0+', { topic: string('0+'), partitionIds: array('0+', int32) }, { nullable: '0+' }),
    transactionLastUpdateTimestampMs: int64('0+'),
    transactionStartTimestampMs: int64('0+'),
    clientTransactionVersion: int16('1+', { tag: 2 }),
  },
)

const TRANSACTION_LOG_KEY = 0

export type TransactionLogValue = ValueOf<typeof transactionLogValue.fields>

/** The transactional id; undefined for a key of another type, to be left alone. */
export function decodeTransactionLogKey(bytes: Uint8Array): string | undefined {
  if (prefixOf(bytes, 'TransactionLogKey') !== TRANSACTION_LOG_KEY) return undefined
  return decodePrefixed(transactionLogKey, bytes, 0).transactionalId
}

export function encodeTransactionLogKey(transactionalId: string): Uint8Array {
  return encodePrefixed(transactionLogKey, { transactionalId }, TRANSACTION_LOG_KEY, 0)
}

export function decodeTransactionLogValue(bytes: Uint8Array): TransactionLogValue {
  return decodePrefixed(transactionLogValue, bytes)
}

/** Version 1 since transaction.version 1 (KIP-890). */
export function encodeTransactionLogValue(value: InputOf<typeof transactionLogValue.fields>, version = 1): Uint8Array {
  return encodePrefixed(transactionLogValue, value, version, version)
}
