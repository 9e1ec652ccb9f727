// Producer state of one partition: who wrote what last, whose transactions are open, and so where the last stable offset is.
// It follows from the records: leaders check a batch against it before the append, and everyone applies the batch after.
import { assert } from '@faultline/base'
import { Errors, NO_SEQUENCE, isBatchProblem, readEndTransactionMarker, type RecordBatch } from '@faultline/protocol'
import type { RefusalCode } from './append-checks.ts'
import { ProducerEntry, inSequence, type BatchMetadata } from './producer-entry.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/** Who appends: a client's produce request, or a coordinator on this broker (offsets, transaction markers). */
export type AppendOrigin = 'client' | 'coordinator'

/** Returned by `startVerification`: the coordinator is being asked whether the partition is in the transaction (KIP-890). */
export interface VerificationGuard {
  readonly producerId: number
}

/** What a producer is about to write first in a transaction. */
export type FirstWrite = Pick<RecordBatch, 'producerId' | 'producerEpoch' | 'baseSequence'>

class Verification {
  readonly guard: VerificationGuard
  readonly timestamp: number
  readonly supportsEpochBump: boolean
  epoch: number
  lowestSequence: number

  constructor(producerId: number, timestamp: number, epoch: number, sequence: number, supportsEpochBump: boolean) {
    this.guard = { producerId }
    this.timestamp = timestamp
    this.epoch = epoch
    this.lowestSequence = sequence
    this.supportsEpochBump = supportsEpochBump
  }

  /** Another batch waits for the same answer. */
  seen(epoch: number, sequence: number): void {
    if (epoch > this.epoch) {
      this.epoch = epoch
      this.lowestSequence = sequence
    } else if (epoch === this.epoch) this.lowestSequence = Math.min(this.lowestSequence, sequence)
  }
}

interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Of the marker. */
  readonly lastOffset: number
}

export type ProducerCheck =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'duplicate'; readonly batch: BatchMetadata }
  | { readonly kind: 'refused'; readonly error: RefusalCode; readonly message: string }

export interface CheckOptions {
  readonly origin: AppendOrigin
  readonly guard: VerificationGuard | undefined
  readonly verifyTransactions: boolean
  /** 2 since KIP-890: a marker then carries an epoch above that of the transaction's records. */
  readonly transactionVersion: number
}

const ACCEPTED: ProducerCheck = { kind: 'accepted' }
const MAX_EPOCH = 0x7fff

export class ProducerStates {
  readonly #producers = new Map<number, ProducerEntry>()
  /** First offset of each open transaction, oldest first, as transactions open in offset order. */
  readonly #open = new Map<number, number>()
  /** Ended, but the marker is not yet below the high watermark. */
  #unreplicated: CompletedTransaction[] = []
  readonly #verifications = new Map<number, Verification>()

  get producers(): Iterable<ProducerEntry> {
    return this.#producers.values()
  }

  get size(): number {
    return this.#producers.size
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#producers.get(producerId)
  }

  /** First offset of the earliest transaction that is open or whose end is not yet replicated. */
  get firstUnstableOffset(): number | undefined {
    const open = this.#open.values().next().value
    const unreplicated = this.#unreplicated[0]?.firstOffset
    if (open === undefined || unreplicated === undefined) return open ?? unreplicated
    return Math.min(open, unreplicated)
  }

  /** Whether the leader may append `batch` (kafka §3.4, in its order). */
  check(batch: RecordBatch, options: CheckOptions): ProducerCheck {
    const entry = this.#producers.get(batch.producerId)
    if (options.origin === 'client') {
      const duplicate = entry?.duplicateOf(batch)
      if (duplicate !== undefined) return { kind: 'duplicate', batch: duplicate }
    }
    if (batch.isControl) return this.#checkMarker(batch, entry, options.transactionVersion)
    const unverified = this.#checkVerification(batch, entry, options)
    if (unverified !== undefined) return unverified
    const known = entry?.epoch ?? -1
    if (batch.producerEpoch < known) return staleEpoch(batch, known)
    if (options.origin === 'client') {
      const outOfOrder = this.#checkSequence(batch, entry)
      if (outOfOrder !== undefined) return outOfOrder
    }
    if (entry?.transactionStart !== undefined && !batch.isTransactional)
      return refuse(
        Errors.INVALID_TXN_STATE,
        `producer ${batch.producerId} has a transaction open since offset ${entry.transactionStart}, and this batch is not part of it`,
      )
    return ACCEPTED
  }

  /** Takes note of a batch that is in the log. Returns the transaction that it aborted, if it did. */
  apply(batch: RecordBatch): AbortedTransaction | undefined {
    if (!batch.hasProducerId) return undefined
    if (batch.isControl) return this.#applyMarker(batch)
    const entry = this.#entry(batch.producerId)
    entry.moveToEpoch(batch.producerEpoch)
    const { lastSequence, lastOffset, lastOffsetDelta: offsetDelta, maxTimestamp: timestamp } = batch
    entry.addBatch({ lastSequence, lastOffset, offsetDelta, timestamp })
    if (batch.isTransactional && entry.transactionStart === undefined) {
      entry.transactionStart = batch.baseOffset
      this.#open.set(batch.producerId, batch.baseOffset)
    }
    this.#verifications.delete(batch.producerId)
    return undefined
  }

  /** Transactions that ended below the high watermark no longer hold the last stable offset back. */
  onHighWatermark(highWatermark: number): void {
    if (this.#unreplicated.length > 0 && this.#unreplicated[0]!.lastOffset < highWatermark)
      this.#unreplicated = this.#unreplicated.filter((transaction) => transaction.lastOffset >= highWatermark)
  }

  /** Transactions that began below it have lost their first records, and block nobody there any more. */
  onLogStartOffset(logStartOffset: number): void {
    this.#unreplicated = this.#unreplicated.filter((transaction) => transaction.lastOffset >= logStartOffset)
  }

  hasOpenTransaction(producerId: number, epoch: number): boolean {
    const entry = this.#producers.get(producerId)
    return entry !== undefined && entry.transactionStart !== undefined && entry.epoch === epoch
  }

  /** Undefined when nothing is to be verified: the transaction is open here already, or the epoch is old and will be refused. */
  startVerification(batch: FirstWrite, supportsEpochBump: boolean, now: number): VerificationGuard | undefined {
    const { producerId, producerEpoch, baseSequence } = batch
    const entry = this.#producers.get(producerId)
    if ((entry !== undefined && producerEpoch < entry.epoch) || this.hasOpenTransaction(producerId, producerEpoch))
      return undefined
    const known = this.#verifications.get(producerId)
    if (known !== undefined) {
      known.seen(producerEpoch, baseSequence)
      return known.guard
    }
    const started = new Verification(producerId, now, producerEpoch, baseSequence, supportsEpochBump)
    this.#verifications.set(producerId, started)
    return started.guard
  }

  removeExpired(now: number, expirationMs: number): void {
    for (const [producerId, entry] of this.#producers) if (entry.isExpired(now, expirationMs)) this.#producers.delete(producerId)
    for (const [producerId, verification] of this.#verifications)
      if (now - verification.timestamp >= expirationMs) this.#verifications.delete(producerId)
  }

  /** Starts over from a snapshot, leaving out producers that expired meanwhile. */
  load(producers: readonly ProducerEntry[], now: number, expirationMs: number): void {
    this.clear()
    for (const entry of producers) if (!entry.isExpired(now, expirationMs)) this.#producers.set(entry.producerId, entry)
    const open = producers.filter((entry) => entry.transactionStart !== undefined)
    open.sort((a, b) => a.transactionStart! - b.transactionStart!)
    for (const entry of open) this.#open.set(entry.producerId, entry.transactionStart!)
  }

  clear(): void {
    this.#producers.clear()
    this.#open.clear()
    this.#unreplicated = []
  }

  #entry(producerId: number): ProducerEntry {
    let entry = this.#producers.get(producerId)
    if (entry === undefined) {
      entry = new ProducerEntry(producerId)
      this.#producers.set(producerId, entry)
    }
    return entry
  }

  #checkVerification(batch: RecordBatch, entry: ProducerEntry | undefined, options: CheckOptions): ProducerCheck | undefined {
    if (!batch.isTransactional || this.hasOpenTransaction(batch.producerId, batch.producerEpoch)) return undefined
    if (entry !== undefined && batch.producerEpoch < entry.epoch) return staleEpoch(batch, entry.epoch)
    if (!options.verifyTransactions) return undefined
    const verification = this.#verifications.get(batch.producerId)
    if (options.guard !== undefined && verification?.guard === options.guard) return undefined
    return refuse(Errors.INVALID_TXN_STATE, `transaction of producer ${batch.producerId} is not verified on this partition`)
  }

  #checkSequence(batch: RecordBatch, entry: ProducerEntry | undefined): ProducerCheck | undefined {
    const { baseSequence, producerEpoch, producerId } = batch
    const verification = this.#verifications.get(producerId)
    const out = (why: string) =>
      refuse(
        Errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
        `producer ${producerId} epoch ${producerEpoch} sent sequence ${baseSequence}: ${why}`,
      )
    if (verification !== undefined && baseSequence > verification.lowestSequence)
      return out(`while its transaction was verified it sent ${verification.lowestSequence}`)
    if (entry === undefined || entry.epoch === -1)
      return verification?.supportsEpochBump && baseSequence !== 0
        ? out('nothing is known of it, so it must begin at 0')
        : undefined
    if (producerEpoch !== entry.epoch) return baseSequence === 0 ? undefined : out(`a new epoch after ${entry.epoch} begins at 0`)
    if (inSequence(entry.lastSequence, baseSequence)) return undefined
    return out(entry.lastSequence === NO_SEQUENCE ? 'the epoch begins at 0' : `the last one was ${entry.lastSequence}`)
  }

  #checkMarker(batch: RecordBatch, entry: ProducerEntry | undefined, transactionVersion: number): ProducerCheck {
    const marker = readEndTransactionMarker(batch)
    if (marker !== undefined && isBatchProblem(marker)) return refuse(Errors.INVALID_RECORD, marker.message)
    if (marker === undefined || entry === undefined) return ACCEPTED
    const stale = batch.producerEpoch < entry.epoch
    // With KIP-890 the marker bumps the epoch, so one of the same epoch can only be the retry of a marker that is here already.
    const isRetry = entry.transactionStart === undefined || entry.epoch === MAX_EPOCH
    const notBumped = transactionVersion >= 2 && batch.producerEpoch === entry.epoch && !isRetry
    if (stale || notBumped) return staleEpoch(batch, entry.epoch)
    if (marker.coordinatorEpoch < entry.coordinatorEpoch)
      return refuse(
        Errors.TRANSACTION_COORDINATOR_FENCED,
        `marker of coordinator epoch ${marker.coordinatorEpoch}, but ${entry.coordinatorEpoch} has written already`,
      )
    return ACCEPTED
  }

  /** The marker has the epoch of the producer's next transaction (KIP-890), which may be being verified by now. */
  #endVerification({ producerId, producerEpoch }: RecordBatch): void {
    const verification = this.#verifications.get(producerId)
    const isNext = verification?.supportsEpochBump === true && verification.epoch === producerEpoch
    if (!isNext) this.#verifications.delete(producerId)
  }

  #applyMarker(batch: RecordBatch): AbortedTransaction | undefined {
    const marker = readEndTransactionMarker(batch)
    // Nothing left of it after compaction, or a control record that is not about transactions.
    if (marker === undefined || isBatchProblem(marker)) return undefined
    const entry = this.#entry(batch.producerId)
    entry.moveToEpoch(batch.producerEpoch)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestamp = batch.maxTimestamp
    this.#endVerification(batch)
    const firstOffset = entry.transactionStart
    if (firstOffset === undefined) return undefined
    entry.transactionStart = undefined
    assert(this.#open.delete(batch.producerId), `producer ${batch.producerId} ended a transaction that was not open`)
    const completed = { producerId: batch.producerId, firstOffset, lastOffset: batch.lastOffset }
    this.#unreplicated.push(completed)
    if (marker.result === 'commit') return undefined
    return { ...completed, lastStableOffset: this.#open.values().next().value ?? completed.lastOffset + 1 }
  }
}

function staleEpoch(batch: RecordBatch, known: number): ProducerCheck {
  return refuse(
    Errors.INVALID_PRODUCER_EPOCH,
    `producer ${batch.producerId} writes with epoch ${batch.producerEpoch}, but ${known} has written already`,
  )
}

function refuse(error: RefusalCode, message: string): ProducerCheck {
  return { kind: 'refused', error, message }
}
