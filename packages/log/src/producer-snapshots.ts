// The snapshot files of one log, and the way back from them: producer state at any offset is the last snapshot before it, plus the
// batches in between.
import type { Disk } from '@faultline/base'
import { SNAPSHOT_SUFFIX, offsetFileName, offsetOfFileName, readWhole, replaceWhole } from './files.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'
import type { ProducerEntry } from './producer-entry.ts'
import type { ProducerStates } from './producer-states.ts'

export class ProducerSnapshots {
  readonly #disk: Disk
  readonly #directory: string
  /** Ascending. */
  #offsets: number[]

  /** `names`: what is in the folder. */
  constructor(disk: Disk, directory: string, names: readonly string[]) {
    this.#disk = disk
    this.#directory = directory
    this.#offsets = names
      .map((name) => offsetOfFileName(name, SNAPSHOT_SUFFIX))
      .filter((offset) => offset !== undefined)
      .sort((a, b) => a - b)
  }

  get offsets(): readonly number[] {
    return this.#offsets
  }

  /** State before the record at `offset`, durable when it returns (KAFKA-9892). */
  take(offset: number, states: ProducerStates): void {
    if (this.#offsets.includes(offset)) return
    replaceWhole(this.#disk, this.#path(offset), encodeProducerSnapshot([...states.producers]), true)
    this.#offsets = [...this.#offsets, offset].sort((a, b) => a - b)
  }

  /** The last good snapshot in (after, upTo]; damaged ones are removed on the way. */
  latest(after: number, upTo: number): { readonly offset: number; readonly producers: ProducerEntry[] } | undefined {
    for (const offset of this.#offsets.toReversed()) {
      if (offset > upTo || offset <= after) continue
      const bytes = readWhole(this.#disk, this.#path(offset))
      const producers = bytes === undefined ? undefined : decodeProducerSnapshot(bytes)
      if (producers !== undefined) return { offset, producers }
      this.#remove(offset)
    }
    return undefined
  }

  /** Those that speak of offsets the log no longer has. */
  removeOutside(logStartOffset: number, logEndOffset: number): void {
    for (const offset of this.#offsets) if (offset <= logStartOffset || offset > logEndOffset) this.#remove(offset)
  }

  /** Only those at the start of a segment, and the last one, can ever be of use again. */
  prune(segmentStarts: ReadonlySet<number>): void {
    const last = this.#offsets.at(-1)
    for (const offset of this.#offsets) if (offset !== last && !segmentStarts.has(offset)) this.#remove(offset)
  }

  #remove(offset: number): void {
    this.#disk.remove(this.#path(offset))
    this.#offsets = this.#offsets.filter((other) => other !== offset)
  }

  #path(offset: number): string {
    return `${this.#directory}/${offsetFileName(offset, SNAPSHOT_SUFFIX)}`
  }
}
