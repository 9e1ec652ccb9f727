// One segment: a .log file of batches, and its indexes. A segment costs no file until its first batch, and no memory for its indexes
// until they are asked for.
import { Buffer } from 'node:buffer'
import type { Disk, DiskFile } from '@faultline/base'
import { NO_TIMESTAMP, RecordBatch, checkBatch } from '@faultline/protocol'
import { locate, scanBatches, takeBatches } from './batch-scanner.ts'
import { INDEX_SUFFIX, LOG_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX, offsetFileName } from './files.ts'
import type { LogConfig } from './log-config.ts'
import { OFFSET_ENTRY_BYTES, OffsetIndex } from './offset-index.ts'
import { TIME_ENTRY_BYTES, TimeIndex, type TimestampOffset } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

/** A read that hits nothing at hand fetches at least this much, to find headers in. */
const MIN_READ_BYTES = 4096
/** Indexes hold offsets relative to the segment's, in 31 bits. */
export const MAX_RELATIVE_OFFSET = 0x7fff_ffff

export interface SegmentRead {
  readonly bytes: Uint8Array
  /** After the last batch read. */
  readonly nextOffset: number
}

export class Segment {
  readonly baseOffset: number
  /** Of the .log file. */
  size = 0
  /** When it was created or opened, on the wall clock: its age, where its records carry no time. */
  readonly openedAt: number
  readonly transactions: TransactionIndex
  readonly #disk: Disk
  readonly #directory: string
  readonly #offsets: OffsetIndex
  readonly #times: TimeIndex
  readonly #indexIntervalBytes: number
  #fileName: string
  #file: DiskFile | undefined
  #indexed: boolean
  #synced = true
  #bytesSinceIndexEntry = 0
  #largest: TimestampOffset
  #firstTimestamp: number | undefined
  /** Where the last read of this segment ended: those who read on need no index. */
  #hint = { offset: -1, position: -1 }

  /** `size` undefined for a new one. `suffix`: of a .log file that is not yet part of the log. */
  constructor(disk: Disk, directory: string, baseOffset: number, config: LogConfig, now: number, size?: number, suffix = '') {
    const path = (suffix: string) => `${directory}/${offsetFileName(baseOffset, suffix)}`
    this.#disk = disk
    this.#directory = directory
    this.baseOffset = baseOffset
    this.openedAt = now
    this.#fileName = path(LOG_SUFFIX + suffix)
    this.size = size ?? 0
    this.#offsets = new OffsetIndex(disk, path(INDEX_SUFFIX), baseOffset)
    this.#times = new TimeIndex(disk, path(TIME_INDEX_SUFFIX), baseOffset)
    this.transactions = new TransactionIndex(disk, path(TRANSACTION_INDEX_SUFFIX))
    this.#indexIntervalBytes = config.indexIntervalBytes
    this.#indexed = this.size === 0
    this.#largest = { timestamp: NO_TIMESTAMP, offset: baseOffset }
  }

  /** The largest timestamp, and the last offset of the first batch that has it. */
  get largest(): TimestampOffset {
    this.#ensureIndexes()
    return this.#largest
  }

  /** What retention by time goes by. */
  get largestTimestamp(): number {
    const { timestamp } = this.largest
    return timestamp >= 0 ? timestamp : this.openedAt
  }

  /** Appends whole batches that follow each other. */
  append(bytes: Uint8Array): void {
    this.#ensureIndexes()
    this.#log().write(bytes, this.size)
    this.#synced = false
    for (let at = 0; at < bytes.length;) {
      const batch = new RecordBatch(bytes, at)
      if (this.#firstTimestamp === undefined && this.size === 0) this.#firstTimestamp = batch.maxTimestamp
      this.#indexBatch(batch, this.size + at)
      at += batch.sizeInBytes
    }
    this.size += bytes.length
  }

  #indexBatch(batch: RecordBatch, position: number): void {
    const { lastOffset, maxTimestamp, sizeInBytes } = batch
    if (maxTimestamp > this.#largest.timestamp) this.#largest = { timestamp: maxTimestamp, offset: lastOffset }
    if (this.#bytesSinceIndexEntry > this.#indexIntervalBytes) {
      this.#offsets.append(lastOffset, position)
      this.#times.append(this.#largest.timestamp, this.#largest.offset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += sizeInBytes
  }

  /** Whether a batch of `bytes` up to `lastOffset` belongs into a new segment. */
  mustRollFor(bytes: number, lastOffset: number, maxTimestamp: number, config: LogConfig, now: number): boolean {
    if (lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET) return true
    if (this.size === 0) return false
    // So that no record escapes the cleaner for longer than max.compaction.lag.ms.
    const maxAge = config.compact ? Math.min(config.segmentMs, config.maxCompactionLagMs) : config.segmentMs
    if (this.size + bytes > config.segmentBytes || this.age(maxTimestamp, now) > maxAge) return true
    const full = this.#offsets.count >= Math.floor(config.segmentIndexBytes / OFFSET_ENTRY_BYTES)
    return full || this.#times.count >= Math.floor(config.segmentIndexBytes / TIME_ENTRY_BYTES) - 1
  }

  /** Since its first record, by the time of the records if they have one. */
  age(maxTimestamp: number, now: number): number {
    const first = this.firstTimestamp
    return first >= 0 ? maxTimestamp - first : now - this.openedAt
  }

  /** Of the first batch; −1 without one. */
  get firstTimestamp(): number {
    this.#firstTimestamp ??= this.#batchAt(0)?.maxTimestamp
    return this.#firstTimestamp ?? NO_TIMESTAMP
  }

  /**
   * Whole batches from the one that holds `offset`, or the first after it, that end before `limitOffset`: as many as `maxBytes` allow,
   * or one that is larger if `minOneBatch`. Undefined when there is none. 'corrupt' when the bytes at `offset` are no batch.
   */
  read(offset: number, maxBytes: number, limitOffset: number, minOneBatch: boolean): SegmentRead | undefined | 'corrupt' {
    let position = this.positionFor(offset)
    while (position < this.size) {
      let piece = this.#piece(position, Math.max(maxBytes, MIN_READ_BYTES))
      const { found, at, size } = locate(piece, offset)
      position += at
      if (size === 0) return 'corrupt'
      if (!found) continue
      if (position + size > this.size) return 'corrupt'
      if (size > maxBytes && !minOneBatch) return undefined
      piece = at + size <= piece.length ? piece.subarray(at) : this.#piece(position, Math.max(size, maxBytes))
      const taken = takeBatches(piece, Math.max(size, maxBytes), limitOffset)
      if (taken.bytes === 0) return undefined
      this.#hint = { offset: taken.nextOffset, position: position + taken.bytes }
      return { bytes: piece.subarray(0, taken.bytes), nextOffset: taken.nextOffset }
    }
    return undefined
  }

  /** A position at or before the batch that holds `offset`. */
  positionFor(offset: number): number {
    if (offset === this.#hint.offset) return this.#hint.position
    this.#ensureIndexes()
    return this.#offsets.lookup(offset).position
  }

  #piece(position: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(Math.min(length, this.size - position))
    return bytes.subarray(0, this.#log().read(bytes, position))
  }

  /** Visits the batches from `position` on until told to stop; returns where the walk ended. */
  scan(position: number, visit: (batch: RecordBatch, position: number) => boolean): number {
    return this.size === 0 ? 0 : scanBatches(this.#log(), position, this.size, visit)
  }

  /** The first batch whose timestamp reaches `timestamp`, given to `visit`. */
  findTimestamp(timestamp: number, fromOffset: number, visit: (batch: RecordBatch) => boolean): void {
    this.#ensureIndexes()
    const from = Math.max(fromOffset, this.#times.lookup(timestamp - 1).offset)
    this.scan(this.#offsets.lookup(from).position, (batch) => batch.maxTimestamp < timestamp || visit(batch))
  }

  /**
   * Cuts off the batch that holds `offset` and all after it. Returns the bytes removed. The cut is durable when it returns: else, after a
   * power loss, old batches could come back behind new ones that have been written over their fellows.
   */
  truncateTo(offset: number): number {
    const before = this.size
    let end = this.size
    this.scan(this.positionFor(offset), (batch, position) => {
      if (batch.lastOffset < offset) return true
      end = position
      return false
    })
    if (end < before) this.#cut(offset, end)
    return before - end
  }

  #cut(offset: number, size: number): void {
    this.cutAt(size)
    this.#hint = { offset: -1, position: -1 }
    this.#offsets.truncateTo(offset)
    this.#times.truncateTo(offset)
    this.transactions.truncateTo(offset)
    if (size === 0) this.#firstTimestamp = undefined
    this.#findLargest()
  }

  /**
   * After a crash: every batch from the start is looked at, and the indexes are built anew. `visit` sees the good batches. Returns the
   * position where they end: if that is before the end of the file, `cutAt` is to follow.
   */
  recover(visit: (batch: RecordBatch) => void): number {
    this.#forgetIndexes()
    let expected = this.baseOffset
    this.#synced = false
    return this.scan(0, (batch, position) => {
      const bad = checkBatch(batch.bytes, batch.at) !== undefined || batch.baseOffset < expected
      if (bad || batch.lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET) return false
      expected = batch.nextOffset
      this.#indexBatch(batch, position)
      visit(batch)
      return true
    })
  }

  /** Durable when it returns. */
  cutAt(size: number): void {
    this.#log().truncate(size)
    this.#log().sync()
    this.size = size
  }

  #forgetIndexes(): void {
    this.#offsets.clear()
    this.#times.clear()
    this.#bytesSinceIndexEntry = 0
    this.#largest = { timestamp: NO_TIMESTAMP, offset: this.baseOffset }
    this.#firstTimestamp = undefined
    this.#hint = { offset: -1, position: -1 }
    this.#indexed = true
  }

  #ensureIndexes(): void {
    if (this.#indexed) return
    this.#indexed = true
    if (this.#offsets.load(this.size) && this.#times.load() && this.#lastEntriesHold()) this.#findLargest()
    else this.#rebuildIndexes()
  }

  /** Absent or damaged. Only headers count here: the records were checked when they were appended, or will be by recovery. */
  #rebuildIndexes(): void {
    this.#forgetIndexes()
    this.scan(0, (batch, position) => {
      this.#indexBatch(batch, position)
      return true
    })
  }

  /** Whether the batches that the last entry of each index speaks of are where and what it says. */
  #lastEntriesHold(): boolean {
    const position = this.#offsets.last
    const time = this.#times.last
    const positionHolds = position === undefined || this.#batchAt(position.position)?.lastOffset === position.offset
    if (!positionHolds || time === undefined) return positionHolds
    let holds = false
    this.scan(this.#offsets.lookup(time.offset).position, (batch) => {
      holds = batch.lastOffset === time.offset && batch.maxTimestamp === time.timestamp
      return batch.lastOffset < time.offset
    })
    return holds
  }

  #batchAt(position: number): RecordBatch | undefined {
    let found: RecordBatch | undefined
    this.scan(position, (batch) => {
      found = batch
      return false
    })
    return found
  }

  /** From what the time index knows, and the batches after that. */
  #findLargest(): void {
    this.#largest = this.#times.last ?? { timestamp: NO_TIMESTAMP, offset: this.baseOffset }
    const lastEntry = this.#offsets.last?.position ?? 0
    this.scan(this.#offsets.lookup(this.#largest.offset).position, (batch) => {
      if (batch.maxTimestamp > this.#largest.timestamp)
        this.#largest = { timestamp: batch.maxTimestamp, offset: batch.lastOffset }
      return true
    })
    this.#bytesSinceIndexEntry = this.size - lastEntry
  }

  /** One past its last offset, found by a look at its last batches; undefined when those are not as they were written. */
  findNextOffset(): number | undefined {
    this.#ensureIndexes()
    let next = this.baseOffset
    const end = this.scan(this.#offsets.last?.position ?? 0, (batch) => {
      if (batch.lastOffset < next - 1 || checkBatch(batch.bytes, batch.at) !== undefined) return false
      next = batch.nextOffset
      return true
    })
    return end === this.size ? next : undefined
  }

  /** Durable when it returns. `sealed`: nothing will be appended any more, so the time index gets its last entry. */
  flush(sealed: boolean): void {
    if (this.size === 0 && this.#file === undefined) return
    if (sealed && this.#indexed) this.#times.append(this.#largest.timestamp, this.#largest.offset)
    if (!this.#synced) this.#log().sync()
    this.#synced = true
    if (!this.#indexed) return
    this.#offsets.save()
    this.#times.save()
    this.transactions.sync()
  }

  /** Until what was last read, or appended, is to be taken for done: see DiskFile. */
  lateMs(what: 'read' | 'write'): number {
    return this.#file?.lateMs(what) ?? 0
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  remove(): void {
    this.removeFile()
    this.removeIndexes()
  }

  /** The .log file alone. */
  removeFile(): void {
    this.close()
    this.#disk.remove(this.#fileName)
  }

  removeIndexes(): void {
    const path = (suffix: string) => `${this.#directory}/${offsetFileName(this.baseOffset, suffix)}`
    for (const suffix of [INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX]) this.#disk.remove(path(suffix))
  }

  /** The records alone, durable. */
  syncRecords(): void {
    this.#log().sync()
    this.#synced = true
  }

  /** Gives the .log file another suffix, or none: then it is part of the log. */
  renameFile(suffix: string): void {
    const name = `${this.#directory}/${offsetFileName(this.baseOffset, LOG_SUFFIX + suffix)}`
    this.#disk.rename(this.#fileName, name)
    this.#fileName = name
  }

  /** So that an empty segment leaves a trace of its base offset. */
  createFile(): void {
    this.#log()
  }

  #log(): DiskFile {
    this.#file ??= this.#disk.open(this.#fileName, 'rw')
    return this.#file
  }
}
