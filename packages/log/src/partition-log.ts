// The log of one partition on this broker: appends as leader or follower, reads, truncation, and the offsets that bound them all.
// A disk error takes it offline for good: nothing is retried, for after a failed write or sync nobody knows what is on the disk.
import { DiskError, assert, type Clock, type Disk } from '@faultline/base'
import { Errors, NO_TIMESTAMP, RecordBatch, type Uuid } from '@faultline/protocol'
import { abortedTransactionsIn } from './aborted-transactions.ts'
import { checkAppendedBatch, checkRecords, checkSegmentSize, isRefusal, type AppendRefusal } from './append-checks.ts'
import { findCleanable, type Cleanable } from './cleaner/cleanable.ts'
import { CleanedFiles } from './cleaner/cleaned-files.ts'
import { cleanLog, type CleaningStep } from './cleaner/cleaning.ts'
import { offsetFileName, parentOf } from './files.ts'
import { acceptFromLeader, type Accepted } from './follower-batches.ts'
import type { EpochEnd, EpochStart, LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { loadLog, rebuildProducerStates, type ProducerSources } from './log-loader.ts'
import { MemoryTail, TailBudget } from './memory-tail.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { AppendOrigin, FirstWrite, ProducerStates, VerificationGuard } from './producer-states.ts'
import { syncPartitionMetadata } from './partition-metadata.ts'
import { rebuildBatch } from './rebuild-batch.ts'
import { countExpired } from './retention.ts'
import { Segment } from './segment.ts'
import type { Segments } from './segments.ts'
import type { AbortedTransaction } from './transaction-index.ts'
import { findMaxTimestamp, findOffsetByTimestamp, type TimestampedOffset } from './timestamp-lookup.ts'

export interface PartitionLogOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly directory: string
  readonly config: LogConfig
  readonly topicId: Uuid
  /** Whether the last process that had this log open closed it. */
  readonly cleanShutdown: boolean
  /** Below this offset everything is on the disk; from it on, records are checked after an unclean stop. */
  readonly recoveryPoint: number
  readonly logStartOffset?: number
  readonly highWatermark?: number
  /** From the cleaner's checkpoint. */
  readonly cleanedTo?: number
  /** Shared by all logs of a broker. */
  readonly tailBudget?: TailBudget
  /** The disk failed; this log is offline. */
  readonly onFailure?: (error: DiskError) => void
  /** Truncation went below the recovery point: the checkpoint must say so before new records are written there. */
  readonly onRecoveryPointLowered?: () => void
}

export interface Appended {
  readonly error: 0
  readonly firstOffset: number
  readonly lastOffset: number
  /** −1 for CreateTime. */
  readonly logAppendTime: number
  readonly duplicate: boolean
  readonly logStartOffset: number
}

export type AppendResult = Appended | AppendRefusal

export interface AppendOptions {
  /** From `startVerification`, where the config asks for verification. */
  readonly guard?: VerificationGuard
  /** Of a marker: 2 since KIP-890. */
  readonly transactionVersion?: number
}

export interface LogRead {
  /** Whole batches, one after another. */
  readonly chunks: Uint8Array[]
  readonly bytes: number
  /** After the last batch read; the offset asked for when there is none. */
  readonly nextOffset: number
  /** The disk has it only then: until it does, it has not been read. */
  readonly lateMs: number
}

export interface ProducerDescription {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** −1 without an open transaction. */
  readonly currentTxnStartOffset: number
}

export class PartitionLog {
  readonly directory: string
  /** Given when the folder was made; or later, for one that lost it in a crash. */
  topicId: Uuid
  /** Cut off when it was opened, because torn or damaged. */
  readonly recoveredBytes: number
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #options: PartitionLogOptions
  readonly #segments: Segments
  readonly #epochs: LeaderEpochs
  readonly #states: ProducerStates
  readonly #snapshots: ProducerSnapshots
  readonly #tail: MemoryTail
  #config: LogConfig
  #logStartOffset: number
  #logEndOffset: number
  #highWatermark: number
  #recoveryPoint: number
  #lastFlush: number
  /** Else the folder itself would be lost with the power. */
  #folderSynced: boolean
  /** Else files made since would be. */
  #namesSynced: boolean
  /** Everything below has been through the cleaner. */
  #cleanedTo: number
  /** Goes up when segments are cut or removed: a cleaning that began before must stop. */
  #cuts = 0
  #failure: DiskError | undefined
  #closed = false

  private constructor(options: PartitionLogOptions) {
    const now = options.clock.wall()
    const { disk, directory, config, cleanShutdown, recoveryPoint, logStartOffset = 0 } = options
    if (!disk.exists(directory)) disk.makeDirectory(directory)
    const loaded = loadLog({ disk, directory, config, now, cleanShutdown, recoveryPoint, logStartOffset })
    this.#options = options
    this.#disk = disk
    this.#clock = options.clock
    this.#config = config
    this.directory = directory
    this.topicId = options.topicId
    this.recoveredBytes = loaded.removedBytes
    this.#segments = loaded.segments
    this.#epochs = loaded.epochs
    this.#states = loaded.states
    this.#snapshots = loaded.snapshots
    this.#tail = new MemoryTail(options.tailBudget ?? new TailBudget())
    this.#logStartOffset = loaded.logStartOffset
    this.#logEndOffset = loaded.nextOffset
    this.#recoveryPoint = Math.min(recoveryPoint, loaded.nextOffset)
    this.#lastFlush = now
    this.#cleanedTo = Math.min(options.cleanedTo ?? 0, loaded.nextOffset)
    this.#folderSynced = cleanShutdown && loaded.nextOffset > loaded.logStartOffset
    this.#namesSynced = this.#folderSynced
    this.#highWatermark = loaded.logStartOffset
    this.updateHighWatermark(options.highWatermark ?? 0)
  }

  /** Throws DiskError when the folder cannot be read. */
  static open(options: PartitionLogOptions): PartitionLog {
    return new PartitionLog(options)
  }

  get config(): LogConfig {
    return this.#config
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  get logEndOffset(): number {
    return this.#logEndOffset
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Read-committed consumers see what is below: no open transaction, and all replicated. */
  get lastStableOffset(): number {
    const unstable = this.#states.firstUnstableOffset
    return unstable === undefined ? this.#highWatermark : Math.min(unstable, this.#highWatermark)
  }

  get recoveryPoint(): number {
    return this.#recoveryPoint
  }

  get sizeBytes(): number {
    return this.#segments.sizeBytes
  }

  get segmentCount(): number {
    return this.#segments.count
  }

  get latestEpoch(): number | undefined {
    return this.#epochs.latest?.epoch
  }

  get leaderEpochs(): readonly EpochStart[] {
    return this.#epochs.entries
  }

  /** Until what was appended last is to be taken for written, in milliseconds: 0 but on a slow disk. */
  get lateMs(): number {
    return this.#segments.active.lateMs('write')
  }

  /** Why it is offline. */
  get failure(): DiskError | undefined {
    return this.#failure
  }

  /** Moves forward only, as far as the log goes. True when it moved. */
  updateHighWatermark(offset: number): boolean {
    const next = Math.max(this.#highWatermark, this.#logStartOffset, Math.min(offset, this.#logEndOffset))
    if (next === this.#highWatermark) return false
    this.#highWatermark = next
    this.#states.onHighWatermark(next)
    return true
  }

  /** By the leader at the start of its epoch, so that an epoch is known even if nothing is written in it (KAFKA-7415). */
  assignEpochStart(epoch: number, offset: number): void {
    this.#epochs.assign(epoch, offset)
  }

  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.#epochs.endOffsetFor(epoch, this.#logEndOffset)
  }

  epochOf(offset: number): number | undefined {
    return this.#epochs.epochOf(offset)
  }

  /**
   * Checks a batch, gives it its offsets (in place) and appends it. A coordinator's batches are trusted where a client's are not:
   * they may be control batches, and carry no sequence.
   */
  appendAsLeader(batch: Uint8Array, leaderEpoch: number, origin: AppendOrigin, options: AppendOptions = {}): AppendResult {
    assert(!this.#closed, `append to ${this.directory} after close`)
    const structure = checkAppendedBatch(batch, origin, this.#config)
    if (structure !== undefined) return structure
    const now = this.#clock.wall()
    const prepared = this.#prepare(batch, now)
    if (!(prepared instanceof Uint8Array)) return prepared
    const tooLarge = checkSegmentSize(prepared, this.#config)
    if (tooLarge !== undefined) return tooLarge
    const view = new RecordBatch(prepared)
    if (view.hasProducerId) {
      const check = this.#checkProducer(view, origin, options)
      if (check !== undefined) return check
    }
    return this.#attempt(() => this.#appendPrepared(view, leaderEpoch), OFFLINE)
  }

  /** Checks the records; sets times. Builds the batch anew where the topic wants another codec, or offsets are not in order. */
  #prepare(batch: Uint8Array, now: number): Uint8Array | AppendRefusal {
    const view = new RecordBatch(batch)
    const found = checkRecords(view, this.#config, now)
    if (isRefusal(found)) return found
    const rebuilt = rebuildBatch(view, this.#config, found.offsetsInOrder)
    if (rebuilt !== undefined && !(rebuilt instanceof Uint8Array)) return rebuilt
    const prepared = rebuilt ?? batch
    const result = new RecordBatch(prepared)
    if (this.#config.timestampType === 'LogAppendTime') result.setLogAppendTime(now)
    else if (found.maxTimestamp !== undefined && found.maxTimestamp !== result.maxTimestamp)
      result.setMaxTimestamp(found.maxTimestamp)
    return prepared
  }

  #checkProducer(batch: RecordBatch, origin: AppendOrigin, options: AppendOptions): AppendResult | undefined {
    const { verifyTransactions } = this.#config
    const transactionVersion = options.transactionVersion ?? 0
    const check = this.#states.check(batch, { origin, guard: options.guard, verifyTransactions, transactionVersion })
    if (check.kind === 'accepted') return undefined
    if (check.kind === 'refused') return { error: check.error, message: check.message }
    const { lastOffset, offsetDelta, timestamp } = check.batch
    const logAppendTime = this.#config.timestampType === 'LogAppendTime' ? timestamp : NO_TIMESTAMP
    const logStartOffset = this.#logStartOffset
    return { error: 0, firstOffset: lastOffset - offsetDelta, lastOffset, logAppendTime, duplicate: true, logStartOffset }
  }

  #appendPrepared(batch: RecordBatch, leaderEpoch: number): Appended {
    const firstOffset = this.#logEndOffset
    batch.setBaseOffset(firstOffset)
    batch.setPartitionLeaderEpoch(leaderEpoch)
    const bytes = batch.slice()
    this.#write(bytes, batch.lastOffset, batch.maxTimestamp)
    this.#noteAppended(batch)
    this.#tail.append(bytes, firstOffset, this.#logEndOffset)
    this.#flushIfMany()
    const logAppendTime = batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : NO_TIMESTAMP
    const { lastOffset } = batch
    return { error: 0, firstOffset, lastOffset, logAppendTime, duplicate: false, logStartOffset: this.#logStartOffset }
  }

  /**
   * Whole batches as the leader has them. Only those of `epochLimit` or before are kept: a leader that was elected meanwhile may have
   * written others (KAFKA-18723). An error leaves the log as it was.
   */
  appendAsFollower(bytes: Uint8Array, epochLimit: number): AppendRefusal | undefined {
    assert(!this.#closed, `append to ${this.directory} after close`)
    const accepted = acceptFromLeader(bytes, this.#logEndOffset, epochLimit)
    if (isRefusal(accepted)) return accepted
    if (accepted.bytes.length === 0) return undefined
    return this.#attempt(() => this.#appendAccepted(accepted), OFFLINE)
  }

  #appendAccepted({ bytes, lastOffset, maxTimestamp }: Accepted): undefined {
    this.#write(bytes, lastOffset, maxTimestamp)
    for (let at = 0; at < bytes.length;) {
      const batch = new RecordBatch(bytes, at)
      this.#noteAppended(batch)
      at += batch.sizeInBytes
    }
    // Who reads close to the end reads from the leader.
    this.#tail.clear()
    this.#flushIfMany()
  }

  /** Into the active segment, or a new one. */
  #write(bytes: Uint8Array, lastOffset: number, maxTimestamp: number): void {
    const now = this.#clock.wall()
    if (this.#segments.active.mustRollFor(bytes.length, lastOffset, maxTimestamp, this.#config, now)) this.#roll()
    this.#segments.active.append(bytes)
  }

  /** Epoch, producer and end offset follow from a batch that is written. */
  #noteAppended(batch: RecordBatch): void {
    this.#epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
    this.#epochs.save()
    const aborted = this.#states.apply(batch)
    if (aborted !== undefined) {
      this.#segments.active.transactions.append(aborted)
      this.#namesSynced = false
    }
    this.#logEndOffset = batch.nextOffset
  }

  /** The active segment is sealed, flushed and followed by a new one that begins at the log end. */
  #roll(): void {
    const offset = this.#logEndOffset
    if (this.#segments.active.baseOffset === offset) {
      // Nothing in it, but its base offset is too far below what comes.
      assert(this.#segments.active.size === 0, `two segments at ${offset}`)
      return
    }
    this.#takeSnapshot()
    this.#flushTo(offset, true)
    this.#segments.push(new Segment(this.#disk, this.directory, offset, this.#config, this.#clock.wall()))
    this.#namesSynced = false
  }

  /**
   * Whole batches from `startOffset` on that end at or below `limitOffset` (the high watermark, the last stable offset or the log end,
   * whoever asks). The first is returned even beyond `maxBytes` if `minOneBatch`.
   */
  read(startOffset: number, maxBytes: number, limitOffset: number, minOneBatch: boolean): LogRead | AppendRefusal {
    if (startOffset < this.#logStartOffset || startOffset > this.#logEndOffset) {
      const message = `offset ${startOffset} is not in ${this.#logStartOffset} to ${this.#logEndOffset}`
      return { error: Errors.OFFSET_OUT_OF_RANGE, message }
    }
    const nothing = { chunks: [], bytes: 0, nextOffset: startOffset, lateMs: 0 }
    if (startOffset >= limitOffset) return nothing
    if (startOffset >= this.#tail.firstOffset) return this.#tail.read(startOffset, maxBytes, limitOffset, minOneBatch) ?? nothing
    return this.#attempt(() => this.#readSegments(startOffset, maxBytes, limitOffset, minOneBatch) ?? nothing, OFFLINE)
  }

  #readSegments(
    startOffset: number,
    maxBytes: number,
    limitOffset: number,
    minOne: boolean,
  ): LogRead | AppendRefusal | undefined {
    for (let i = this.#segments.indexOf(startOffset); i < this.#segments.count; i++) {
      const segment = this.#segments.all[i]!
      if (segment.baseOffset >= limitOffset) return undefined
      const found = segment.read(startOffset, maxBytes, limitOffset, minOne)
      if (found === 'corrupt') {
        const file = `${this.directory}/${offsetFileName(segment.baseOffset, '.log')}`
        return { error: Errors.CORRUPT_MESSAGE, message: `${file} holds no batch where offset ${startOffset} should be` }
      }
      if (found === undefined) continue
      const { bytes, nextOffset } = found
      return { chunks: [bytes], bytes: bytes.length, nextOffset, lateMs: segment.lateMs('read') }
    }
    return undefined
  }

  /** Aborted transactions with records in [from, to): a read-committed consumer of that range must skip them. */
  abortedTransactions(from: number, to: number): { producerId: number; firstOffset: number }[] {
    const found = this.#attempt(() => this.#abortedIn(from, to), [])
    return found.map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
  }

  #abortedIn(from: number, to: number): AbortedTransaction[] {
    return abortedTransactionsIn(this.#parts(), from, to, this.#clock.wall(), this.#config)
  }

  get cleanedTo(): number {
    return Math.max(this.#cleanedTo, this.#logStartOffset)
  }

  /** How much the cleaner would find to do now; undefined when nothing. */
  cleanable(now: number): Cleanable | undefined {
    if (!this.#config.compact || this.#closed) return undefined
    const unstable = Math.min(this.#states.firstUnstableOffset ?? this.#highWatermark, this.#highWatermark)
    return this.#attempt(() => findCleanable(this.#segments.all, this.#config, this.cleanedTo, unstable, now), undefined)
  }

  /** Begins a pass of the cleaner; each call of the result does one slice of it. */
  startCleaning(cleanable: Cleanable, now: number, mapLimitBytes: number): () => CleaningStep {
    const cuts = this.#cuts
    const files = new CleanedFiles(this.#disk, this.directory, this.#segments, this.#config, now)
    const pass = cleanLog(
      {
        config: this.#config,
        ...cleanable,
        abortedIn: (from, to) => this.#abortedIn(from, to),
        producer: (producerId) => this.#states.get(producerId),
        newSegment: (baseOffset) => files.create(baseOffset),
        replace: (originals) => {
          files.putInPlaceOf(originals)
          this.#tail.clear()
        },
      },
      now,
      mapLimitBytes,
    )
    return () => {
      const isVoid = this.#closed || this.#cuts !== cuts
      const slice = isVoid ? undefined : this.#attempt(() => pass.next(), undefined)
      if (slice !== undefined && slice.done !== true) return 'more'
      this.#attempt(() => files.discard(), undefined)
      if (slice === undefined) return 'void'
      if ('problem' in slice.value) return 'problem'
      this.#cleanedTo = slice.value.cleanedTo
      return 'cleaned'
    }
  }

  /** Removes `offset` and all after it. Nothing happens if the log ends there or before. */
  truncateTo(offset: number): void {
    assert(offset >= 0, `truncation to ${offset}`)
    if (offset >= this.#logEndOffset) return this.#forgetEpochsFrom(offset)
    if (offset < this.#segments.first.baseOffset) return this.truncateFullyAndStartAt(offset)
    this.#attempt(() => {
      while (this.#segments.active.baseOffset > offset) {
        this.#segments.active.remove()
        this.#segments.dropLast()
      }
      // Before the cut, for the reason given in log-loader.ts.
      this.#syncNames()
      this.#segments.active.truncateTo(offset)
      this.#endAt(offset)
      this.#epochs.truncateFromEnd(offset)
      this.#epochs.save()
      this.#rebuildStates()
      this.#syncNames()
    }, undefined)
  }

  /** A leader that appended nothing has an epoch at its end that its successor never saw: kept, the two would diverge for ever. */
  #forgetEpochsFrom(offset: number): void {
    if (this.#epochs.latest === undefined || this.#epochs.latest.startOffset < offset) return
    this.#attempt(() => {
      this.#epochs.truncateFromEnd(offset)
      this.#epochs.save()
    }, undefined)
  }

  /** Nothing is kept: the log is empty and begins at `offset`. */
  truncateFullyAndStartAt(offset: number): void {
    this.#attempt(() => {
      for (const segment of this.#segments.all) segment.remove()
      this.#segments.replaceAll(new Segment(this.#disk, this.directory, offset, this.#config, this.#clock.wall()))
      this.#segments.active.createFile()
      this.#logStartOffset = offset
      this.#highWatermark = offset
      this.#endAt(offset)
      this.#epochs.clear()
      this.#epochs.save()
      this.#rebuildStates()
      this.#syncNames()
    }, undefined)
  }

  #endAt(offset: number): void {
    this.#cuts++
    this.#cleanedTo = Math.min(this.#cleanedTo, offset)
    this.#logEndOffset = offset
    this.#tail.clear()
    this.#logStartOffset = Math.min(this.#logStartOffset, offset)
    this.#highWatermark = Math.min(this.#highWatermark, offset)
    if (this.#recoveryPoint <= offset) return
    this.#recoveryPoint = offset
    this.#options.onRecoveryPointLowered?.()
  }

  #rebuildStates(): void {
    this.#snapshots.removeOutside(this.#logStartOffset, this.#logEndOffset)
    const log = {
      segments: this.#segments,
      states: this.#states,
      snapshots: this.#snapshots,
      logStartOffset: this.#logStartOffset,
    }
    rebuildProducerStates(log, this.#logEndOffset, this.#clock.wall(), this.#config)
    this.#states.onHighWatermark(this.#highWatermark)
  }

  /** The first record at `timestamp` or later, below `limitOffset`. */
  offsetForTimestamp(timestamp: number, limitOffset: number): TimestampedOffset | undefined {
    const find = () => findOffsetByTimestamp(this.#segments, timestamp, this.#logStartOffset)
    const found = this.#attempt(find, undefined)
    return found !== undefined && found.offset < limitOffset ? found : undefined
  }

  /** The record with the largest timestamp. */
  maxTimestamp(): TimestampedOffset | undefined {
    return this.#attempt(() => findMaxTimestamp(this.#segments, this.#logStartOffset), undefined)
  }

  /** Records below are gone for readers (DeleteRecords; or a leader whose log starts later). True when it moved. */
  advanceLogStartOffset(offset: number): boolean {
    assert(offset <= this.#logEndOffset, `log start ${offset} beyond the end ${this.#logEndOffset}`)
    if (offset <= this.#logStartOffset) return false
    return this.#attempt(() => {
      this.#logStartOffset = offset
      this.updateHighWatermark(offset)
      this.#epochs.truncateFromStart(offset)
      this.#epochs.save()
      this.#states.onLogStartOffset(offset)
      return true
    }, false)
  }

  #parts(): ProducerSources {
    return { segments: this.#segments, snapshots: this.#snapshots, logStartOffset: this.#logStartOffset }
  }

  activeProducers(): ProducerDescription[] {
    return [...this.#states.producers].map((producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: producer.lastTimestamp,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.transactionStart ?? -1,
    }))
  }

  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    return this.#states.hasOpenTransaction(producerId, producerEpoch)
  }

  /** Before a transactional batch is verified with the coordinator (KIP-890). Undefined when the transaction is open here already. */
  startVerification(batch: FirstWrite, supportsEpochBump: boolean): VerificationGuard | undefined {
    return this.#states.startVerification(batch, supportsEpochBump, this.#clock.wall())
  }

  updateConfig(config: LogConfig): void {
    this.#config = config
  }

  expireProducers(now: number): void {
    this.#states.removeExpired(now, this.#config.producerIdExpirationMs)
  }

  /** Removes the oldest segments that retention no longer holds, never past the high watermark. Returns how many. */
  deleteExpired(now: number): number {
    return this.#attempt(() => {
      const limits = {
        logStartOffset: this.#logStartOffset,
        logEndOffset: this.#logEndOffset,
        highWatermark: this.#highWatermark,
      }
      const count = countExpired(this.#segments.all, this.#config, limits, now)
      if (count === 0) return 0
      this.#cuts++
      if (count === this.#segments.count) this.#roll()
      for (let i = 0; i < count; i++) {
        this.#segments.first.remove()
        this.#segments.dropFirst()
      }
      this.advanceLogStartOffset(this.#segments.first.baseOffset)
      this.#snapshots.removeOutside(this.#logStartOffset, this.#logEndOffset)
      return count
    }, 0)
  }

  /** All that is written is on the disk when it returns, unless the log went offline. */
  flush(): void {
    this.#attempt(() => this.#flushTo(this.#logEndOffset, false), undefined)
  }

  /** By flush.ms. */
  flushIfDue(now: number): void {
    if (this.#recoveryPoint < this.#logEndOffset && now - this.#lastFlush >= this.#config.flushMs) this.flush()
  }

  #flushIfMany(): void {
    if (this.#logEndOffset - this.#recoveryPoint >= this.#config.flushMessages) this.#flushTo(this.#logEndOffset, false)
  }

  #flushTo(offset: number, sealed: boolean): void {
    for (const segment of this.#segments.from(this.#recoveryPoint)) segment.flush(sealed)
    if (this.#epochs.sync() || !this.#namesSynced) this.#syncNames()
    this.#snapshots.prune(new Set(this.#segments.all.map((segment) => segment.baseOffset)))
    this.#recoveryPoint = offset
    this.#lastFlush = this.#clock.wall()
  }

  /** Of the files; and once, of the folder itself (KAFKA-3968). */
  #syncNames(): void {
    if (!this.#folderSynced) {
      syncPartitionMetadata(this.#disk, this.directory)
      this.#disk.syncDirectory(parentOf(this.directory))
      this.#folderSynced = true
    }
    this.#disk.syncDirectory(this.directory)
    this.#namesSynced = true
  }

  #takeSnapshot(): void {
    this.#snapshots.take(this.#logEndOffset, this.#states)
    this.#namesSynced = false
  }

  /** Flushed, so that it opens at once next time. Nothing can be done with it afterwards. */
  close(): void {
    if (this.#closed) return
    this.#attempt(() => {
      if (this.#logEndOffset === this.#logStartOffset) return
      this.#takeSnapshot()
      this.#flushTo(this.#logEndOffset, true)
    }, undefined)
    this.abandon()
  }

  /** Lets go of the files as they are. Nothing can be done with it afterwards. */
  abandon(): void {
    this.#closed = true
    this.#tail.clear()
    for (const segment of this.#segments.all) segment.close()
  }

  /** Removes the folder with everything in it. */
  delete(): void {
    this.abandon()
    this.#attempt(() => this.#disk.remove(this.directory), undefined)
  }

  /** Runs what touches the disk; `failed` is the answer when the disk fails, and from then on. */
  #attempt<T, F>(run: () => T, failed: F): T | F {
    if (this.#failure !== undefined) return failed
    try {
      return run()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#failure = error
      this.#options.onFailure?.(error)
      return failed
    }
  }
}

const OFFLINE: AppendRefusal = { error: Errors.KAFKA_STORAGE_ERROR, message: 'the log is offline after a disk error' }
