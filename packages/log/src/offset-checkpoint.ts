// One offset for each partition of a data folder: recovery points, high watermarks, log start offsets.
import type { Disk } from '@faultline/base'
import { parentOf } from './files.ts'
import { parseCount, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'

export class OffsetCheckpoint {
  readonly #disk: Disk
  readonly #path: string
  readonly #durable: boolean
  #written = ''

  /** `durable`: a power loss after `write` does not undo it. */
  constructor(disk: Disk, path: string, durable: boolean) {
    this.#disk = disk
    this.#path = path
    this.#durable = durable
  }

  /** By "topic partition". Nothing where the file is absent or damaged. */
  read(): Map<string, number> {
    const entries = readCheckpoint(this.#disk, this.#path, 3)
    if (entries === undefined || entries === 'damaged') return new Map()
    const offsets = entries.map(([topic, partition, offset]) => [`${topic} ${partition}`, parseCount(offset!)] as const)
    return new Map(offsets.filter(([, offset]) => Number.isSafeInteger(offset)))
  }

  /** Only if something changed. */
  write(offsets: readonly (readonly [partition: string, offset: number])[]): void {
    const entries = offsets.map(([partition, offset]) => `${partition} ${offset}`)
    const text = entries.join('\n')
    if (text === this.#written) return
    writeCheckpoint(this.#disk, this.#path, entries, this.#durable)
    if (this.#durable) this.#disk.syncDirectory(parentOf(this.#path))
    this.#written = text
  }
}
