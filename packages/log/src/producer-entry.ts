// What a partition remembers of one producer: enough to tell a retry from something new, and an open transaction from none.
import { NO_PRODUCER_EPOCH, NO_SEQUENCE, subtractSequence, type RecordBatch } from '@faultline/protocol'

/** A producer may have five requests in flight, so a retry is one of the last five batches. */
const BATCHES_TO_RETAIN = 5
export const NO_COORDINATOR_EPOCH = -1

export interface BatchMetadata {
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: number
}

export class ProducerEntry {
  readonly producerId: number
  epoch = NO_PRODUCER_EPOCH
  coordinatorEpoch = NO_COORDINATOR_EPOCH
  lastTimestamp = -1
  /** First offset of the open transaction. */
  transactionStart: number | undefined
  /** Oldest first, at most five. */
  batches: BatchMetadata[] = []

  constructor(producerId: number) {
    this.producerId = producerId
  }

  get lastSequence(): number {
    return this.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
  }

  /** A new epoch begins its sequence anew, so the old batches can be nobody's retry. */
  moveToEpoch(epoch: number): void {
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.batches = []
  }

  addBatch(batch: BatchMetadata): void {
    if (this.batches.length === BATCHES_TO_RETAIN) this.batches.shift()
    this.batches.push(batch)
    this.lastTimestamp = batch.timestamp
  }

  /** The remembered batch that has exactly this one's sequence numbers. */
  duplicateOf(batch: RecordBatch): BatchMetadata | undefined {
    if (batch.producerEpoch !== this.epoch) return undefined
    const { baseSequence, lastSequence } = batch
    return this.batches.find((known) => known.lastSequence === lastSequence && firstSequence(known) === baseSequence)
  }

  isExpired(now: number, expirationMs: number): boolean {
    return this.transactionStart === undefined && now - this.lastTimestamp >= expirationMs
  }
}

function firstSequence(batch: BatchMetadata): number {
  return subtractSequence(batch.lastSequence, batch.offsetDelta)
}

/** Whether `next` may follow `last` in one epoch; after 2147483647 comes 0. */
export function inSequence(last: number, next: number): boolean {
  return next === last + 1 || (next === 0 && last === 0x7fff_ffff)
}
