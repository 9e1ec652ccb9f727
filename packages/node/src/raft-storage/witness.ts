// A second record, outside of LevelDB, of how many writes were synced. LevelDB takes damage near the end of its own log for a write that
// a crash cut off, and goes on with less than it had confirmed: an older vote, fewer entries, and nothing that looks wrong.
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { crc32c } from '@node-rs/crc32'

const SIZE = 12

export class Witness {
  readonly #file: number
  readonly #record = new Uint8Array(SIZE)
  readonly #view = new DataView(this.#record.buffer)

  constructor(path: string) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT)
  }

  /** A lower bound, as this file is not synced itself: after a power cut it may tell of less, never of more. 0 when it cannot be read. */
  read(): number {
    const size = readSync(this.#file, this.#record, 0, SIZE, 0)
    const sound = size === SIZE && this.#view.getUint32(8) === crc32c(this.#record.subarray(0, 8))
    return sound ? this.#view.getFloat64(0) : 0
  }

  /** Only after the write with this number is durable. */
  write(sequence: number): void {
    this.#view.setFloat64(0, sequence)
    this.#view.setUint32(8, crc32c(this.#record.subarray(0, 8)))
    writeSync(this.#file, this.#record, 0, SIZE, 0)
  }

  close(): void {
    closeSync(this.#file)
  }
}
