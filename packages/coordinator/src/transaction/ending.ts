// How a transaction ends: first it is decided (Prepare), and from then on only that can happen; then each partition gets its marker, however
// long that takes and whoever coordinates meanwhile; then it is complete.
import { type ErrorCode, Errors, NO_PRODUCER_ID } from '@faultline/protocol'
import type { Deadline } from '../runtime/deadline.ts'
import type { TransactionEnd } from '../runtime/ports.ts'
import { type MarkerResult, PARTITION_GONE } from './config.ts'
import { isEpochExhausted, MAX_EPOCH, NO_PARTITIONS, type Transaction, transition, TRANSACTION_V2 } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'
import { writeTransaction } from './write-transaction.ts'

/** Before a marker that was refused is written again, and before completion that was refused is. */
const RETRY_MS = 20

/**
 * The next transaction of a producer often begins while the last one is about to be complete. Kafka refuses it, and the client comes again
 * after its back-off; here it waits for this long before it is refused.
 */
const PATIENCE_MS = 100

interface Target {
  readonly topic: string
  readonly partition: number
  /**
   * On its way: it is not sent again before that has an answer. A second one that arrives late would end the producer's next transaction,
   * which for older clients has the same epoch.
   */
  sent: boolean
}

export interface Ending {
  readonly end: TransactionEnd
  /** "topic-partition" of those that have no marker yet. */
  readonly waiting: Map<string, Target>
  readonly retry: Deadline
  /** Who wants to go on when it is complete. */
  readonly next: Set<() => void>
}

export interface Decision {
  readonly committed: boolean
  /** Transaction version of whoever ends it: since 2 the epoch goes up with it. */
  readonly version: number
  /** For a producer id whose epochs are used up. */
  readonly freshProducerId: number | undefined
}

/** Writes the decision. NONE, or why nothing was changed. */
export function prepareEnd(shard: TransactionShard, transaction: Transaction, decision: Decision): ErrorCode {
  const { committed, version, freshProducerId } = decision
  const bumps = version >= TRANSACTION_V2
  const now = shard.context.clock.wall()
  const rotates = bumps && isEpochExhausted(transaction.producerEpoch)
  const next = transition(transaction, committed ? 'PrepareCommit' : 'PrepareAbort', {
    producerEpoch: bumps ? Math.min(transaction.producerEpoch + 1, MAX_EPOCH) : transaction.producerEpoch,
    nextProducerId: rotates ? freshProducerId! : NO_PRODUCER_ID,
    // What was not open is aborted as if it had begun now.
    startTimestamp: transaction.state === 'Ongoing' ? transaction.startTimestamp : now,
    lastUpdateTimestamp: now,
    clientTransactionVersion: version,
  })
  const error = writeTransaction(shard, next)
  if (error !== Errors.NONE) return error
  if (bumps) shard.lastEpochs.set(transaction.transactionalId, transaction.producerEpoch)
  writeMarkers(shard, next)
  return error
}

/** From a decision on: the markers, once the decision cannot be lost any more. */
export function writeMarkers(shard: TransactionShard, transaction: Transaction): void {
  const { transactionalId, producerId, producerEpoch, state, clientTransactionVersion } = transaction
  const all = [...transaction.partitions].flatMap(([topic, indexes]) =>
    [...indexes].map((partition): Target => ({ topic, partition, sent: false })),
  )
  const ending: Ending = {
    end: {
      producerId,
      producerEpoch,
      committed: state === 'PrepareCommit',
      coordinatorEpoch: shard.context.epoch,
      transactionVersion: clientTransactionVersion,
    },
    waiting: new Map(all.map((p) => [`${p.topic}-${p.partition}`, p])),
    retry: shard.context.deadline(() => goOn(shard, transactionalId)),
    next: new Set(),
  }
  shard.endings.set(transactionalId, ending)
  shard.context.whenCommitted(() => goOn(shard, transactionalId))
}

function goOn(shard: TransactionShard, transactionalId: string): void {
  const ending = shard.endings.get(transactionalId)
  if (!ending) return
  if (ending.waiting.size === 0) return complete(shard, transactionalId)
  for (const [name, target] of ending.waiting) {
    if (target.sent) continue
    target.sent = true
    const done = shard.context.whileActive<MarkerResult>((result) => written(shard, transactionalId, ending, name, result))
    shard.markers.write(ending.end, target.topic, target.partition, done)
  }
}

function written(shard: TransactionShard, transactionalId: string, ending: Ending, name: string, result: MarkerResult): void {
  const target = ending.waiting.get(name)
  if (shard.endings.get(transactionalId) !== ending || !target) return
  target.sent = false
  switch (result) {
    case Errors.NONE:
    case Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case PARTITION_GONE:
      ending.waiting.delete(name)
      if (ending.waiting.size === 0) complete(shard, transactionalId)
      return
    case Errors.INVALID_PRODUCER_EPOCH:
    case Errors.TRANSACTION_COORDINATOR_FENCED:
      // Another coordinator ends it, or has.
      shard.endings.delete(transactionalId)
      return shard.context.emit('transaction.marker-refused', { transactionalId, to: name, error: result })
    default:
      if (!ending.retry.pending) ending.retry.set(RETRY_MS)
  }
}

function complete(shard: TransactionShard, transactionalId: string): void {
  const transaction = shard.transactions.get(transactionalId)!
  const { state, nextProducerId, clientTransactionVersion } = transaction
  const rotates = clientTransactionVersion >= TRANSACTION_V2 && nextProducerId !== NO_PRODUCER_ID
  const next = transition(transaction, state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort', {
    ...(rotates ? { producerId: nextProducerId, producerEpoch: 0 } : {}),
    nextProducerId: NO_PRODUCER_ID,
    partitions: NO_PARTITIONS,
    lastUpdateTimestamp: shard.context.clock.wall(),
  })
  const ending = shard.endings.get(transactionalId)!
  if (writeTransaction(shard, next) !== Errors.NONE) return ending.retry.set(RETRY_MS)
  shard.endings.delete(transactionalId)
  for (const run of ending.next) run()
}

/** Runs `step` when the transaction that is ending now is complete, or when that takes too long. At once when none is. */
export function afterEnding(shard: TransactionShard, transactionalId: string, step: () => void): void {
  const ending = shard.endings.get(transactionalId)
  if (!ending) return step()
  const run = () => {
    ending.next.delete(run)
    patience.clear()
    step()
  }
  const patience = shard.context.deadline(run)
  patience.set(PATIENCE_MS)
  ending.next.add(run)
}
