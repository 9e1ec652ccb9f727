// The sparse index of one segment: the last offset of a batch, and where that batch begins in the .log file. Entries are held in memory
// and reach the .index file when the segment is flushed; after a crash they are found again by scanning.
import { assert, type Disk } from '@faultline/base'
import { readWhole, writeWhole } from './files.ts'

export const OFFSET_ENTRY_BYTES = 8

export interface OffsetPosition {
  readonly offset: number
  readonly position: number
}

export class OffsetIndex {
  readonly #disk: Disk
  readonly #path: string
  readonly #baseOffset: number
  /** Pairs: offset − baseOffset, position. */
  #pairs = new Uint32Array(0)
  #count = 0
  #saved = 0

  constructor(disk: Disk, path: string, baseOffset: number) {
    this.#disk = disk
    this.#path = path
    this.#baseOffset = baseOffset
  }

  get count(): number {
    return this.#count
  }

  get last(): OffsetPosition | undefined {
    return this.#count === 0 ? undefined : this.#entry(this.#count - 1)
  }

  append(offset: number, position: number): void {
    assert(this.#count === 0 || offset > this.last!.offset, `index offset ${offset} after ${this.last?.offset}`)
    if (this.#pairs.length < (this.#count + 1) * 2) {
      const larger = new Uint32Array(Math.max(32, this.#pairs.length * 2))
      larger.set(this.#pairs)
      this.#pairs = larger
    }
    this.#pairs[this.#count * 2] = offset - this.#baseOffset
    this.#pairs[this.#count * 2 + 1] = position
    this.#count++
  }

  /** The last entry whose offset is not above `offset`, or the start of the segment. */
  lookup(offset: number): OffsetPosition {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#pairs[middle * 2]! <= offset - this.#baseOffset) low = middle + 1
      else high = middle
    }
    return low === 0 ? { offset: this.#baseOffset, position: 0 } : this.#entry(low - 1)
  }

  /** Drops the entries at `offset` and above. */
  truncateTo(offset: number): void {
    while (this.#count > 0 && this.#entry(this.#count - 1).offset >= offset) this.#count--
    if (this.#saved > this.#count) this.#saved = -1
  }

  clear(): void {
    this.#count = 0
    this.#saved = -1
  }

  /** False when the file is absent or cannot be the index of a segment of that size. */
  load(segmentSize: number): boolean {
    const bytes = readWhole(this.#disk, this.#path)
    if (bytes === undefined || bytes.length % OFFSET_ENTRY_BYTES !== 0) return false
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const pairs = new Uint32Array(bytes.length / 4)
    for (let i = 0; i < pairs.length; i++) {
      pairs[i] = view.getUint32(i * 4)
      if (i >= 2 && pairs[i]! <= pairs[i - 2]!) return false
    }
    if (pairs.length > 0 && pairs[pairs.length - 1]! >= segmentSize) return false
    this.#pairs = pairs
    this.#count = pairs.length / 2
    this.#saved = this.#count
    return true
  }

  /** Durable when it returns. */
  save(): void {
    if (this.#saved === this.#count) return
    const bytes = new Uint8Array(this.#count * OFFSET_ENTRY_BYTES)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < this.#count * 2; i++) view.setUint32(i * 4, this.#pairs[i]!)
    writeWhole(this.#disk, this.#path, bytes, true)
    this.#saved = this.#count
  }

  #entry(i: number): OffsetPosition {
    return { offset: this.#baseOffset + this.#pairs[i * 2]!, position: this.#pairs[i * 2 + 1]! }
  }
}
