// A partition of an internal topic as its coordinator sees it: read when it is loaded, appended to with acks=all, watched for commits.
import type { ShardLog, CoordinatorRecord, LogSlice } from '@faultline/coordinator'
import { batchSizeAt, buildBatch, decodeRecords, type ErrorCode, Errors, isBatchProblem, RecordBatch } from '@faultline/protocol'
import type { Clock } from '@faultline/base'
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

  append(records: readonly CoordinatorRecord[]): ErrorCode {
    if (this.#partition.leaderEpoch !== this.#epoch) return Errors.NOT_LEADER_OR_FOLLOWER
    const timestamp = this.#clock.wall()
    const batch = buildBatch(records.map(({ key, value }) => ({ key, value, timestamp })))
    return this.#partition.append(batch, -1, 'coordinator').error
  }

  read(offset: number): LogSlice | { readonly error: Exclude<ErrorCode, 0> } {
    const { log } = this.#partition
    const read = log.read(offset, LOAD_BYTES, log.logEndOffset, true)
    if ('error' in read) return { error: read.error }
    const records: CoordinatorRecord[] = []
    for (const chunk of read.chunks) {
      for (let at = 0; at < chunk.length;) {
        const size = batchSizeAt(chunk, at)
        if (typeof size !== 'number' || !collect(new RecordBatch(chunk, at), records)) return { error: Errors.CORRUPT_MESSAGE }
        at += size
      }
    }
    return { error: Errors.NONE, records, nextOffset: read.nextOffset }
  }
}

/** False when the batch cannot be read. A record without a key is no coordinator's. */
function collect(batch: RecordBatch, into: CoordinatorRecord[]): boolean {
  if (batch.isControl) return true
  const decoded = decodeRecords(batch)
  if (isBatchProblem(decoded)) return false
  for (const { key, value } of decoded) if (key !== null) into.push({ key, value })
  return true
}
