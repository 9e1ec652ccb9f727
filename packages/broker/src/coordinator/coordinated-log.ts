// A partition of an internal topic as its coordinator sees it: read when it is loaded, appended to with acks=all, watched for commits.
import type {
  CoordinatorRecord,
  LoggedEnd,
  LoggedRecord,
  LogSlice,
  ShardLog,
  TransactionEnd,
  WritingTransaction,
} from '@faultline/coordinator'
import {
  batchSizeAt,
  buildBatch,
  buildEndTransactionMarker,
  decodeRecords,
  type ErrorCode,
  Errors,
  isBatchProblem,
  NO_PRODUCER_ID,
  readEndTransactionMarker,
  RecordBatch,
} from '@faultline/protocol'
import type { Clock } from '@faultline/base'
import type { AppendOptions, VerificationGuard } from '@faultline/log'
import type { Partition } from '../replica/partition.ts'
import type { Watcher } from '../replica/watchers.ts'

/** Read at once when loading: a slice of it takes less than a millisecond. */
const LOAD_BYTES = 64 * 1024

export class CoordinatedLog implements ShardLog, Watcher {
  readonly #partition: Partition
  readonly #clock: Clock
  readonly #epoch: number
  readonly #onAdvance: () => void

  constructor(partition: Partition, clock: Clock, onAdvance: () => void) {
    this.#partition = partition
    this.#clock = clock
    this.#epoch = partition.leaderEpoch
    this.#onAdvance = onAdvance
    partition.advanced.add(this)
  }

  get startOffset(): number {
    return this.#partition.log.logStartOffset
  }

  get endOffset(): number {
    return this.#partition.log.logEndOffset
  }

  get highWatermark(): number {
    return this.#partition.log.highWatermark
  }

  get maxBatchBytes(): number {
    return this.#partition.log.config.maxMessageBytes
  }

  /** Partitions wake their watchers also when leadership goes: then it is not for us to say that anything is committed. */
  check(): void {
    if (this.#partition.leads && this.#partition.leaderEpoch === this.#epoch) this.#onAdvance()
  }

  detach(): void {
    this.#partition.advanced.delete(this)
  }

  append(records: readonly CoordinatorRecord[], transaction?: WritingTransaction): ErrorCode {
    const timestamp = this.#clock.wall()
    const options = transaction && {
      producerId: transaction.producerId,
      producerEpoch: transaction.producerEpoch,
      transactional: true,
    }
    const batch = buildBatch(
      records.map(({ key, value }) => ({ key, value, timestamp })),
      options,
    )
    return this.#append(batch, { guard: transaction?.guard as VerificationGuard | undefined })
  }

  appendEnd({ producerId, producerEpoch, committed, coordinatorEpoch, transactionVersion }: TransactionEnd): ErrorCode {
    const result = committed ? 'commit' : 'abort'
    const marker = { producerId, producerEpoch, coordinatorEpoch, result } as const
    return this.#append(buildEndTransactionMarker(marker, this.#clock.wall()), { transactionVersion })
  }

  #append(batch: Uint8Array, options: AppendOptions): ErrorCode {
    if (this.#partition.leaderEpoch !== this.#epoch) return Errors.NOT_LEADER_OR_FOLLOWER
    return this.#partition.append(batch, -1, 'coordinator', options).error
  }

  read(offset: number): LogSlice | { readonly error: Exclude<ErrorCode, 0> } {
    const { log } = this.#partition
    const read = log.read(offset, LOAD_BYTES, log.logEndOffset, true)
    if ('error' in read) return { error: read.error }
    const entries: (LoggedRecord | LoggedEnd)[] = []
    for (const chunk of read.chunks) {
      for (let at = 0; at < chunk.length;) {
        const size = batchSizeAt(chunk, at)
        if (typeof size !== 'number' || !collect(new RecordBatch(chunk, at), entries)) return { error: Errors.CORRUPT_MESSAGE }
        at += size
      }
    }
    return { error: Errors.NONE, entries, nextOffset: read.nextOffset, lateMs: read.lateMs }
  }
}

/** False when the batch cannot be read. A record without a key is no coordinator's, nor is a control record that is no marker. */
function collect(batch: RecordBatch, into: (LoggedRecord | LoggedEnd)[]): boolean {
  if (batch.isControl) {
    const marker = readEndTransactionMarker(batch)
    if (marker !== undefined && isBatchProblem(marker)) return false
    if (marker !== undefined) into.push({ producerId: marker.producerId, committed: marker.result === 'commit' })
    return true
  }
  const decoded = decodeRecords(batch)
  if (isBatchProblem(decoded)) return false
  const producerId = batch.isTransactional ? batch.producerId : NO_PRODUCER_ID
  for (const { key, value } of decoded) if (key !== null) into.push({ key, value, producerId })
  return true
}
