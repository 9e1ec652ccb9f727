// The transactional ids of one partition of __transaction_state. Here is what changes by replay; the APIs and timers are beside it.
import { decodeTransactionLogKey } from '@faultline/protocol'
import type { Deadline } from '../runtime/deadline.ts'
import type { CoordinatorRecord, ShardContext, ShardState } from '../runtime/ports.ts'
import { abortTimedOut } from './abort-timed-out.ts'
import type { MarkerWriter, ProducerIdSource, TransactionConfig } from './config.ts'
import { type Ending, writeMarkers } from './ending.ts'
import { removeExpired } from './expiry.ts'
import { isPreparing, type Transaction } from './transaction.ts'
import { transactionOf } from './transaction-records.ts'

export interface TransactionShardOptions {
  readonly config: TransactionConfig
  readonly markers: MarkerWriter
  readonly producerIds: ProducerIdSource
}

export class TransactionShard implements ShardState {
  readonly context: ShardContext
  readonly config: TransactionConfig
  readonly markers: MarkerWriter
  readonly producerIds: ProducerIdSource
  readonly transactions = new Map<string, Transaction>()
  /** What a failover may forget: the epoch that a producer had before it asked for a new one, by transactional id (KIP-360). */
  readonly lastEpochs = new Map<string, number>()
  /** Transactions whose markers are being written. */
  readonly endings = new Map<string, Ending>()
  readonly #abortCheck: Deadline
  readonly #expiryCheck: Deadline

  constructor(context: ShardContext, { config, markers, producerIds }: TransactionShardOptions) {
    this.context = context
    this.config = config
    this.markers = markers
    this.producerIds = producerIds
    this.#abortCheck = context.deadline(() => this.#checkTimeouts())
    this.#expiryCheck = context.deadline(() => this.#checkExpiry())
  }

  /** Transactions that were ending when the last coordinator went are ended by this one. */
  begin(): void {
    for (const transaction of this.transactions.values()) if (isPreparing(transaction)) writeMarkers(this, transaction)
    this.#abortCheck.set(this.config.abortCheckMs)
    this.#expiryCheck.set(this.config.expirationCheckMs)
  }

  #checkTimeouts(): void {
    abortTimedOut(this)
    this.#abortCheck.set(this.config.abortCheckMs)
  }

  #checkExpiry(): void {
    removeExpired(this)
    this.#expiryCheck.set(this.config.expirationCheckMs)
  }

  replay({ key, value }: CoordinatorRecord): void {
    const transactionalId = decodeTransactionLogKey(key)
    if (transactionalId === undefined) return
    if (value === null) {
      this.transactions.delete(transactionalId)
      this.lastEpochs.delete(transactionalId)
    } else this.transactions.set(transactionalId, transactionOf(transactionalId, value))
  }

  /** Records of this kind are never part of a transaction. */
  endTransaction(): void {}
}
