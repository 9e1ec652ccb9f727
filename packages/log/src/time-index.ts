// The time index of one segment: up to which offset no timestamp is larger. Kept like the offset index.
import type { Disk } from '@faultline/base'
import { readWhole, writeWhole } from './files.ts'

export const TIME_ENTRY_BYTES = 12

export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
}

export class TimeIndex {
  readonly #disk: Disk
  readonly #path: string
  readonly #baseOffset: number
  #entries: TimestampOffset[] = []
  #saved = 0

  constructor(disk: Disk, path: string, baseOffset: number) {
    this.#disk = disk
    this.#path = path
    this.#baseOffset = baseOffset
  }

  get count(): number {
    return this.#entries.length
  }

  get last(): TimestampOffset | undefined {
    return this.#entries.at(-1)
  }

  /** `timestamp` is the largest so far, `offset` that of its batch. Nothing to add unless it grew. */
  append(timestamp: number, offset: number): void {
    if (timestamp > (this.last?.timestamp ?? -1)) this.#entries.push({ timestamp, offset })
  }

  /** The last entry whose timestamp is not above `timestamp`, or the start of the segment. */
  lookup(timestamp: number): TimestampOffset {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.timestamp <= timestamp) low = middle + 1
      else high = middle
    }
    return this.#entries[low - 1] ?? { timestamp: -1, offset: this.#baseOffset }
  }

  /** Drops the entries at `offset` and above. */
  truncateTo(offset: number): void {
    while (this.#entries.length > 0 && this.last!.offset >= offset) this.#entries.pop()
    if (this.#saved > this.#entries.length) this.#saved = -1
  }

  clear(): void {
    this.#entries = []
    this.#saved = -1
  }

  /** False when the file is absent or cannot be a time index. */
  load(): boolean {
    const bytes = readWhole(this.#disk, this.#path)
    if (bytes === undefined || bytes.length % TIME_ENTRY_BYTES !== 0) return false
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const entries: TimestampOffset[] = []
    for (let at = 0; at < bytes.length; at += TIME_ENTRY_BYTES) {
      const timestamp = Number(view.getBigInt64(at))
      const offset = this.#baseOffset + view.getUint32(at + 8)
      const before = entries.at(-1)
      if (
        !Number.isSafeInteger(timestamp) ||
        timestamp < 0 ||
        (before !== undefined && (timestamp <= before.timestamp || offset < before.offset))
      )
        return false
      entries.push({ timestamp, offset })
    }
    this.#entries = entries
    this.#saved = entries.length
    return true
  }

  /** Durable when it returns. */
  save(): void {
    if (this.#saved === this.#entries.length) return
    const bytes = new Uint8Array(this.#entries.length * TIME_ENTRY_BYTES)
    const view = new DataView(bytes.buffer)
    this.#entries.forEach(({ timestamp, offset }, i) => {
      view.setBigInt64(i * TIME_ENTRY_BYTES, BigInt(timestamp))
      view.setUint32(i * TIME_ENTRY_BYTES + 8, offset - this.#baseOffset)
    })
    writeWhole(this.#disk, this.#path, bytes, true)
    this.#saved = this.#entries.length
  }
}
