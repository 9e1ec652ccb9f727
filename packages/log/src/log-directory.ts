// The data folder of a broker: whose it is, whether it was left cleanly, and the logs of all partitions in it.
import { DiskError, Refusal, assert, type Clock, type Disk, type Random, type Timer } from '@faultline/base'
import { ZERO_UUID, decodeUuid, type Uuid } from '@faultline/protocol'
import { LogCleaner, type CleanerOptions } from './cleaner/log-cleaner.ts'
import { takeCleanShutdown, writeCleanShutdown } from './clean-shutdown.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts'
import { TailBudget } from './memory-tail.ts'
import { readMetaProperties, writeMetaProperties } from './meta-properties.ts'
import { OffsetCheckpoint } from './offset-checkpoint.ts'
import { PartitionLog, type PartitionLogOptions } from './partition-log.ts'
import { readPartitionMetadata, writePartitionMetadata } from './partition-metadata.ts'

/** A folder that waits for its removal. */
const DELETE_SUFFIX = '-delete'

export interface LogDirectoryOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly path: string
  readonly clusterId: string
  readonly nodeId: number
  readonly tailBudget?: TailBudget
  /** Called once, when the first disk error took a log or a checkpoint with it. */
  readonly onFailure?: (error: DiskError) => void
}

interface Entry {
  readonly topic: string
  readonly partition: number
  readonly log: PartitionLog
}

export class LogDirectory {
  readonly path: string
  readonly directoryId: Uuid
  /** Of the clean stop before this start; −1 when the stop was not clean. */
  readonly previousBrokerEpoch: number
  readonly cleanShutdown: boolean
  readonly #options: LogDirectoryOptions
  readonly #disk: Disk
  readonly #tailBudget: TailBudget
  /** By folder name. */
  readonly #logs = new Map<string, Entry>()
  readonly #recoveryPoints: OffsetCheckpoint
  readonly #highWatermarks: OffsetCheckpoint
  readonly #logStartOffsets: OffsetCheckpoint
  readonly #cleanerOffsets: OffsetCheckpoint
  readonly #removals = new Set<Timer>()
  #cleaner: LogCleaner | undefined
  #failure: DiskError | undefined

  private constructor(options: LogDirectoryOptions) {
    const { disk, path, clusterId, nodeId, random } = options
    this.#options = options
    this.#disk = disk
    this.#tailBudget = options.tailBudget ?? new TailBudget()
    this.path = path
    disk.makeDirectory(path)
    const known = readMetaProperties(disk, path, { clusterId, nodeId })
    this.directoryId = known?.directoryId ?? decodeUuid(random.bytes(16))
    if (known === undefined) writeMetaProperties(disk, path, { clusterId, nodeId, directoryId: this.directoryId })
    const epoch = takeCleanShutdown(disk, path)
    this.cleanShutdown = epoch !== undefined
    this.previousBrokerEpoch = epoch ?? -1
    this.#recoveryPoints = new OffsetCheckpoint(disk, `${path}/recovery-point-offset-checkpoint`, true)
    // A high watermark that is too low, or lost, is soon learned again.
    this.#highWatermarks = new OffsetCheckpoint(disk, `${path}/replication-offset-checkpoint`, false)
    this.#logStartOffsets = new OffsetCheckpoint(disk, `${path}/log-start-offset-checkpoint`, true)
    this.#cleanerOffsets = new OffsetCheckpoint(disk, `${path}/cleaner-offset-checkpoint`, true)
    this.#openAll()
  }

  /** Opens the folder and all logs in it. Throws a Refusal when it cannot be used. */
  static open(options: LogDirectoryOptions): LogDirectory {
    try {
      return new LogDirectory(options)
    } catch (error) {
      throw error instanceof DiskError ? unusable(options.path, error) : error
    }
  }

  /** Why logs in it are offline. */
  get failure(): DiskError | undefined {
    return this.#failure
  }

  get partitions(): PartitionLog[] {
    return [...this.#logs.values()].map((entry) => entry.log)
  }

  get(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(folderName(topic, partition))?.log
  }

  /**
   * The log of a partition: the one that is there, if it belongs to this topic; else a new one, after one of an older topic of that
   * name has been put aside. Throws DiskError.
   */
  create(topic: string, partition: number, topicId: Uuid, config: LogConfig): PartitionLog {
    const name = folderName(topic, partition)
    const known = this.#logs.get(name)?.log
    if (known !== undefined && (known.topicId === topicId || known.topicId === ZERO_UUID)) {
      if (known.topicId === ZERO_UUID) this.#adopt(known, topicId)
      known.updateConfig(config)
      return known
    }
    if (known !== undefined) this.remove(known)
    const directory = `${this.path}/${name}`
    this.#disk.makeDirectory(directory)
    writePartitionMetadata(this.#disk, directory, topicId)
    return this.#open(topic, partition, topicId, config, { cleanShutdown: true, recoveryPoint: 0 })
  }

  /** Its folder lost the topic's id, in a crash soon after it was made, or to damage; the name and the cluster vouch for it. */
  #adopt(log: PartitionLog, topicId: Uuid): void {
    log.topicId = topicId
    writePartitionMetadata(this.#disk, log.directory, topicId)
  }

  /** Put aside at once, so that the name is free; gone after file.delete.delay.ms. */
  remove(log: PartitionLog): void {
    const [name] = [...this.#logs].find(([, entry]) => entry.log === log) ?? []
    assert(name !== undefined, `${log.directory} is not open here`)
    this.#logs.delete(name)
    log.abandon()
    const aside = `${this.path}/${name}.${hex(this.#options.random.bytes(16))}${DELETE_SUFFIX}`
    this.#attempt(() => {
      this.#disk.rename(log.directory, aside)
      this.#removeLater(aside, log.config.fileDeleteDelayMs)
    })
  }

  #removeLater(directory: string, delayMs: number): void {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#removals.delete(timer)
      this.#attempt(() => this.#disk.remove(directory))
    })
    this.#removals.add(timer)
  }

  /** From now on compacted logs are cleaned, one at a time and in slices. */
  startCleaner(options: CleanerOptions = {}): void {
    assert(this.#cleaner === undefined, 'the cleaner runs already')
    const logs = () => this.partitions
    const onCleaned = () => this.#attempt(() => this.#writeCleanerOffsets())
    this.#cleaner = new LogCleaner(this.#options.clock, logs, onCleaned, options)
  }

  #writeCleanerOffsets(): void {
    this.#cleanerOffsets.write(this.#offsets((log) => log.cleanedTo).filter(([, offset]) => offset > 0))
  }

  /** What a restart needs to know about each log. */
  writeCheckpoints(): void {
    this.#attempt(() => {
      this.#writeRecoveryPoints()
      this.#highWatermarks.write(this.#offsets((log) => log.highWatermark))
      this.#logStartOffsets.write(this.#offsets((log) => log.logStartOffset).filter(([, offset]) => offset > 0))
    })
  }

  #writeRecoveryPoints(): void {
    this.#recoveryPoints.write(this.#offsets((log) => log.recoveryPoint))
  }

  #offsets(offsetOf: (log: PartitionLog) => number): (readonly [string, number])[] {
    return [...this.#logs.values()].map(({ topic, partition, log }) => [`${topic} ${partition}`, offsetOf(log)] as const)
  }

  /** Flushes and closes all logs. Only if all of that went well is the next start a quick one. */
  closeClean(brokerEpoch: number): void {
    for (const timer of this.#removals) timer.cancel()
    this.#cleaner?.stop()
    for (const { log } of this.#logs.values()) log.close()
    this.writeCheckpoints()
    if (this.#cleaner !== undefined) this.#attempt(() => this.#writeCleanerOffsets())
    this.#attempt(() => writeCleanShutdown(this.#disk, this.path, brokerEpoch))
  }

  #openAll(): void {
    const recoveryPoints = this.#recoveryPoints.read()
    const highWatermarks = this.#highWatermarks.read()
    const logStartOffsets = this.#logStartOffsets.read()
    const cleanerOffsets = this.#cleanerOffsets.read()
    for (const name of this.#disk.list(this.path)) {
      const directory = `${this.path}/${name}`
      if (name.endsWith(DELETE_SUFFIX)) {
        this.#disk.remove(directory)
        continue
      }
      const parsed = parseFolderName(name)
      if (parsed === undefined || !this.#disk.isDirectory(directory)) continue
      const { topic, partition } = parsed
      const topicId = readPartitionMetadata(this.#disk, directory)
      const key = `${topic} ${partition}`
      this.#open(topic, partition, topicId === undefined || topicId === 'damaged' ? ZERO_UUID : topicId, DEFAULT_LOG_CONFIG, {
        cleanShutdown: this.cleanShutdown,
        recoveryPoint: recoveryPoints.get(key) ?? 0,
        logStartOffset: logStartOffsets.get(key) ?? 0,
        highWatermark: highWatermarks.get(key) ?? 0,
        cleanedTo: cleanerOffsets.get(key) ?? 0,
      })
    }
  }

  #open(
    topic: string,
    partition: number,
    topicId: Uuid,
    config: LogConfig,
    state: Pick<PartitionLogOptions, 'cleanShutdown' | 'recoveryPoint' | 'logStartOffset' | 'highWatermark' | 'cleanedTo'>,
  ): PartitionLog {
    const name = folderName(topic, partition)
    const log = PartitionLog.open({
      disk: this.#disk,
      clock: this.#options.clock,
      directory: `${this.path}/${name}`,
      config,
      topicId,
      ...state,
      tailBudget: this.#tailBudget,
      onFailure: (error) => this.#fail(error),
      onRecoveryPointLowered: () => this.#attempt(() => this.#writeRecoveryPoints()),
    })
    this.#logs.set(name, { topic, partition, log })
    return log
  }

  /** After a disk error nothing more is written: what a checkpoint said then could be untrue. */
  #attempt(run: () => void): void {
    if (this.#failure !== undefined) return
    try {
      run()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#fail(error)
    }
  }

  #fail(error: DiskError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#options.onFailure?.(error)
  }
}

function folderName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** Undefined for what is no partition folder; such entries are left alone. */
function parseFolderName(name: string): { topic: string; partition: number } | undefined {
  const match = /^([\w.-]{1,249})-(0|[1-9]\d{0,9})$/.exec(name)
  return match === null ? undefined : { topic: match[1]!, partition: Number(match[2]) }
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function unusable(path: string, error: DiskError): Refusal {
  if (error.code === 'ENOSPC')
    return new Refusal(
      'DISK_FULL',
      `The data folder ${path} cannot be opened: ${error.message}.`,
      'Free some space, then start again.',
    )
  const advice = 'Look at its permissions and at the disk, or give another folder.'
  return new Refusal('FOLDER_UNUSABLE', `The data folder ${path} cannot be opened: ${error.message}.`, advice)
}
