// Aborted transactions whose marker lies in one segment: what a read-committed consumer must skip. Entries go straight to the
// .txnindex file, which exists only where there are any.
import type { Disk } from '@faultline/base'
import { readWhole, writeWhole } from './files.ts'

const ENTRY_BYTES = 34
const VERSION = 0

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Of the abort marker. */
  readonly lastOffset: number
  /** When the marker was written. */
  readonly lastStableOffset: number
}

export class TransactionIndex {
  readonly #disk: Disk
  readonly #path: string
  /** Undefined until asked for. */
  #entries: AbortedTransaction[] | undefined
  #synced = true

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
  }

  /** Ascending by marker. Undefined when the file is damaged. */
  entries(): readonly AbortedTransaction[] | undefined {
    if (this.#entries !== undefined) return this.#entries
    const bytes = readWhole(this.#disk, this.#path)
    this.#entries = bytes === undefined ? [] : decode(bytes)
    return this.#entries
  }

  append(transaction: AbortedTransaction): void {
    this.#entries = [...(this.entries() ?? []), transaction]
    this.#write()
  }

  /** Drops the transactions whose marker is at `offset` or above. */
  truncateTo(offset: number): void {
    const entries = this.entries() ?? []
    const kept = entries.filter((entry) => entry.lastOffset < offset)
    if (kept.length === entries.length) return
    this.#entries = kept
    this.#write()
  }

  /** In the file that is there, durable when it returns. */
  replace(entries: readonly AbortedTransaction[]): void {
    this.#entries = [...entries]
    this.#synced = false
    this.sync()
  }

  clear(): void {
    this.#entries = []
    this.#disk.remove(this.#path)
    this.#synced = true
  }

  sync(): void {
    if (this.#synced) return
    writeWhole(this.#disk, this.#path, encode(this.#entries!), true)
    this.#synced = true
  }

  #write(): void {
    this.#synced = false
    writeWhole(this.#disk, this.#path, encode(this.#entries!), false)
  }
}

function encode(entries: readonly AbortedTransaction[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  entries.forEach((entry, i) => {
    const at = i * ENTRY_BYTES
    view.setInt16(at, VERSION)
    view.setBigInt64(at + 2, BigInt(entry.producerId))
    view.setBigInt64(at + 10, BigInt(entry.firstOffset))
    view.setBigInt64(at + 18, BigInt(entry.lastOffset))
    view.setBigInt64(at + 26, BigInt(entry.lastStableOffset))
  })
  return bytes
}

function decode(bytes: Uint8Array): AbortedTransaction[] | undefined {
  if (bytes.length % ENTRY_BYTES !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: AbortedTransaction[] = []
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const number = (field: number) => Number(view.getBigInt64(at + field))
    const entry = { producerId: number(2), firstOffset: number(10), lastOffset: number(18), lastStableOffset: number(26) }
    const ordered = entry.firstOffset >= 0 && entry.lastOffset > entry.firstOffset
    if (view.getInt16(at) !== VERSION || !ordered || entry.lastOffset <= (entries.at(-1)?.lastOffset ?? -1)) return undefined
    entries.push(entry)
  }
  return entries
}
