// Opens the folder of a partition: what is left of interrupted work is cleared away, segments are found, and after an unclean stop the
// records from the recovery point on are checked one batch after another. The log ends before the first that is not whole: later
// segments go, for what follows damage was never acknowledged by this replica alone (kafka's LogLoader).
import type { Disk } from '@faultline/base'
import { scanBatches } from './batch-scanner.ts'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  INDEX_SUFFIX,
  LOG_SUFFIX,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
  isTemporary,
  offsetFileName,
  offsetOfFileName,
} from './files.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { ProducerSnapshots } from './producer-snapshots.ts'
import { ProducerStates } from './producer-states.ts'
import { Segment } from './segment.ts'
import { Segments } from './segments.ts'

export interface LoadOptions {
  readonly disk: Disk
  readonly directory: string
  readonly config: LogConfig
  readonly now: number
  readonly cleanShutdown: boolean
  readonly recoveryPoint: number
  readonly logStartOffset: number
}

export interface LoadedLog {
  readonly segments: Segments
  readonly epochs: LeaderEpochs
  readonly states: ProducerStates
  readonly snapshots: ProducerSnapshots
  readonly logStartOffset: number
  readonly nextOffset: number
  /** Cut off because they were torn or damaged, or came after such. */
  readonly removedBytes: number
}

export function loadLog(options: LoadOptions): LoadedLog {
  const { disk, directory, config, now } = options
  const names = clearInterrupted(disk, directory)
  removeOrphanIndexes(disk, directory, names)
  const list = findSegments(options, names)
  const logStartOffset = Math.max(options.logStartOffset, list[0]?.baseOffset ?? 0)
  if (list.length === 0) list.push(new Segment(disk, directory, logStartOffset, config, now))
  const loaded = {
    segments: new Segments(list),
    epochs: new LeaderEpochs(disk, directory),
    states: new ProducerStates(),
    snapshots: new ProducerSnapshots(disk, directory, names),
    logStartOffset,
  }
  const epochsKnown = loaded.epochs.load(options.cleanShutdown)
  const { removedBytes, nextOffset } = recover(loaded, options)
  if (nextOffset < logStartOffset) return startOver(loaded, options, removedBytes)
  if (!epochsKnown) findEpochs(loaded)
  loaded.epochs.truncateFromEnd(nextOffset)
  loaded.epochs.truncateFromStart(logStartOffset)
  loaded.epochs.save()
  return { ...loaded, nextOffset, removedBytes }
}

/** Removes what a deletion or a cleaning left behind when it was interrupted. Returns the names in the folder after that. */
function clearInterrupted(disk: Disk, directory: string): string[] {
  let names = disk.list(directory)
  if (!names.some((name) => isTemporary(name) || INTERRUPTED_SUFFIXES.some((suffix) => name.endsWith(suffix)))) return names
  const remove = (name: string) => disk.remove(`${directory}/${name}`)
  for (const name of names) if (name.endsWith(DELETED_SUFFIX) || isTemporary(name)) remove(name)
  // Cleaning that was not finished is void, and so is all that was swapped in after the segments it was to replace (KAFKA-6264).
  const unfinished = names.map((name) => offsetOfFileName(name, LOG_SUFFIX + CLEANED_SUFFIX)).filter((o) => o !== undefined)
  const firstUnfinished = Math.min(...unfinished)
  for (const name of names) {
    const swapped = offsetOfFileName(name, LOG_SUFFIX + SWAP_SUFFIX)
    if (name.endsWith(CLEANED_SUFFIX) || (swapped !== undefined && swapped >= firstUnfinished)) remove(name)
  }
  names = disk.list(directory)
  for (const name of names) {
    const baseOffset = offsetOfFileName(name, LOG_SUFFIX + SWAP_SUFFIX)
    if (baseOffset !== undefined) finishSwap(disk, directory, baseOffset, names)
  }
  return disk.list(directory)
}

const INTERRUPTED_SUFFIXES = [DELETED_SUFFIX, CLEANED_SUFFIX, SWAP_SUFFIX]

/** The cleaned segment was complete: the originals within its range give way to it. Its indexes are found again by scanning. */
function finishSwap(disk: Disk, directory: string, baseOffset: number, names: readonly string[]): void {
  const path = (offset: number, suffix: string) => `${directory}/${offsetFileName(offset, suffix)}`
  const swap = path(baseOffset, LOG_SUFFIX + SWAP_SUFFIX)
  const end = endOfSwap(disk, swap, baseOffset)
  for (const name of names) {
    const offset = offsetOfFileName(name, LOG_SUFFIX)
    if (offset === undefined || offset < baseOffset || offset >= end) continue
    for (const suffix of [INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX]) disk.remove(path(offset, suffix))
    if (offset !== baseOffset) disk.remove(path(offset, LOG_SUFFIX))
  }
  disk.rename(swap, path(baseOffset, LOG_SUFFIX))
}

function removeOrphanIndexes(disk: Disk, directory: string, names: readonly string[]): void {
  for (const suffix of [INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX]) {
    for (const name of names) {
      const offset = offsetOfFileName(name, suffix)
      if (offset !== undefined && !names.includes(offsetFileName(offset, LOG_SUFFIX))) disk.remove(`${directory}/${name}`)
    }
  }
}

function endOfSwap(disk: Disk, path: string, baseOffset: number): number {
  let end = baseOffset
  const file = disk.open(path, 'r')
  try {
    scanBatches(file, 0, file.size(), (batch) => {
      end = batch.nextOffset
      return true
    })
  } finally {
    file.close()
  }
  return end
}

function findSegments({ disk, directory, config, now }: LoadOptions, names: readonly string[]): Segment[] {
  const segments: Segment[] = []
  for (const name of names) {
    const offset = offsetOfFileName(name, LOG_SUFFIX)
    if (offset === undefined) continue
    segments.push(new Segment(disk, directory, offset, config, now, fileSize(disk, `${directory}/${name}`)))
  }
  return segments.sort((a, b) => a.baseOffset - b.baseOffset)
}

function fileSize(disk: Disk, path: string): number {
  const file = disk.open(path, 'r')
  const size = file.size()
  file.close()
  return size
}

interface Loading extends ProducerSources {
  readonly epochs: LeaderEpochs
  readonly states: ProducerStates
}

/** After a clean stop only the end is looked at; if that is not as it was left, or the stop was not clean, records are. */
function recover(loaded: Loading, options: LoadOptions): { removedBytes: number; nextOffset: number } {
  const { segments, snapshots, logStartOffset } = loaded
  const nextOffset = options.cleanShutdown ? segments.active.findNextOffset() : undefined
  if (nextOffset === undefined)
    return recoverFrom(options.cleanShutdown ? segments.active.baseOffset : options.recoveryPoint, loaded, options)
  snapshots.removeOutside(logStartOffset, nextOffset)
  rebuildProducerStates(loaded, nextOffset, options.now, options.config)
  return { removedBytes: 0, nextOffset }
}

/** Looks at every batch from the segment that holds `recoveryPoint` on, and finds indexes, epochs and producers again from them. */
function recoverFrom(recoveryPoint: number, loaded: Loading, options: LoadOptions): { removedBytes: number; nextOffset: number } {
  const { segments, snapshots, epochs, logStartOffset } = loaded
  const suspects = segments.from(recoveryPoint)
  let nextOffset = suspects[0]!.baseOffset
  snapshots.removeOutside(logStartOffset, nextOffset)
  rebuildProducerStates(loaded, nextOffset, options.now, options.config)
  epochs.truncateFromEnd(nextOffset)
  let removedBytes = 0
  for (const [i, segment] of suspects.entries()) {
    nextOffset = Math.max(nextOffset, segment.baseOffset)
    const end = recoverSegment(segment, loaded, (offset) => {
      nextOffset = offset
    })
    if (end === segment.size) continue
    // Later segments first: if this were cut and they came back, nothing would tell that records between are missing.
    removedBytes = dropAfter(segments, suspects.length - 1 - i) + segment.size - end
    options.disk.syncDirectory(options.directory)
    segment.cutAt(end)
    break
  }
  return { removedBytes, nextOffset }
}

function recoverSegment(segment: Segment, loaded: Loading, reached: (nextOffset: number) => void): number {
  segment.transactions.clear()
  return segment.recover((batch) => {
    loaded.epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
    const aborted = loaded.states.apply(batch)
    if (aborted !== undefined) segment.transactions.append(aborted)
    reached(batch.nextOffset)
  })
}

function dropAfter(segments: Segments, count: number): number {
  let bytes = 0
  for (let i = 0; i < count; i++) {
    bytes += segments.active.size
    segments.active.remove()
    segments.dropLast()
  }
  return bytes
}

/** The records end before the log start that was recorded: nothing of them counts any more. */
function startOver(loaded: Loading, options: LoadOptions, removedBytes: number): LoadedLog {
  const { disk, directory, config, now } = options
  const { logStartOffset, segments } = loaded
  for (const segment of segments.all) segment.remove()
  segments.replaceAll(new Segment(disk, directory, logStartOffset, config, now))
  segments.active.createFile()
  loaded.epochs.clear()
  loaded.epochs.save()
  loaded.states.clear()
  loaded.snapshots.removeOutside(logStartOffset, logStartOffset)
  return { ...loaded, nextOffset: logStartOffset, removedBytes }
}

/** The batches know their epochs. */
function findEpochs({ segments, epochs }: Loading): void {
  epochs.clear()
  for (const segment of segments.all) {
    segment.scan(0, (batch) => {
      epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
      return true
    })
  }
}

/** What producer state is found from. */
export interface ProducerSources {
  readonly segments: Segments
  readonly snapshots: ProducerSnapshots
  readonly logStartOffset: number
}

/** State before the record at `endOffset`: the last snapshot, and what was appended since. */
export function rebuildProducerStates(
  { segments, states, snapshots, logStartOffset }: ProducerSources & { readonly states: ProducerStates },
  endOffset: number,
  now: number,
  config: LogConfig,
): void {
  const snapshot = snapshots.latest(logStartOffset, endOffset)
  states.load(snapshot?.producers ?? [], now, config.producerIdExpirationMs)
  const from = snapshot?.offset ?? logStartOffset
  if (from >= endOffset) return
  for (const segment of segments.from(from)) {
    if (segment.baseOffset >= endOffset) break
    segment.scan(segment.positionFor(from), (batch) => {
      if (batch.baseOffset >= endOffset) return false
      if (batch.baseOffset >= from) states.apply(batch)
      return true
    })
  }
}
