// The last bytes appended to a log, kept in memory: followers and consumers that are close to the end are served without a read.
import { Buffer } from 'node:buffer'
import { locate, takeBatches } from './batch-scanner.ts'

const PARTITION_LIMIT_BYTES = 1024 * 1024
const MIN_BLOCK_BYTES = 4096
const MAX_BLOCK_BYTES = 64 * 1024
/** Appends from this size on become a block of their own. */
const LARGE_BYTES = 16 * 1024

const NO_BYTES = new Uint8Array(0)

interface Block {
  readonly tail: MemoryTail
  /** Batches up to `used`; later ones are put behind them while there is room. What has been handed out is never overwritten. */
  bytes: Uint8Array
  readonly firstOffset: number
  used: number
  nextOffset: number
  dropped: boolean
}

/** The memory that all tails of a broker share. When it is full, the oldest block of any of them goes. */
export class TailBudget {
  readonly #limitBytes: number
  #usedBytes = 0
  /** Oldest first, from `#head` on. */
  #blocks: Block[] = []
  #head = 0

  constructor(limitBytes = 256 * 1024 * 1024) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  add(block: Block): void {
    this.#blocks.push(block)
    this.#usedBytes += block.bytes.length
    while (this.#usedBytes > this.#limitBytes) this.#oldest().tail.dropOldest()
  }

  release(block: Block): void {
    block.dropped = true
    this.#usedBytes -= block.bytes.length
    // The list below forgets blocks in its own time; their memory goes now.
    block.bytes = NO_BYTES
    while (this.#head < this.#blocks.length && this.#blocks[this.#head]!.dropped) this.#head++
    if (this.#head < 1024 || this.#head * 2 < this.#blocks.length) return
    this.#blocks = this.#blocks.slice(this.#head)
    this.#head = 0
  }

  #oldest(): Block {
    return this.#blocks[this.#head]!
  }
}

export interface TailRead {
  readonly chunks: Uint8Array[]
  readonly bytes: number
  readonly nextOffset: number
  /** Memory is never late. */
  readonly lateMs: 0
}

export class MemoryTail {
  readonly #budget: TailBudget
  /** Oldest first; each continues where the one before ends. */
  #blocks: Block[] = []
  #bytes = 0

  constructor(budget: TailBudget) {
    this.#budget = budget
  }

  /** The offset from which on reads are served from here; infinite when nothing is held. */
  get firstOffset(): number {
    return this.#blocks[0]?.firstOffset ?? Number.POSITIVE_INFINITY
  }

  append(batches: Uint8Array, firstOffset: number, nextOffset: number): void {
    if (batches.length > PARTITION_LIMIT_BYTES) return this.clear()
    const last = this.#blocks.at(-1)
    if (last !== undefined && last.bytes.length - last.used >= batches.length) {
      last.bytes.set(batches, last.used)
      last.used += batches.length
      last.nextOffset = nextOffset
      return
    }
    const bytes = this.#blockFor(batches, last)
    const block = { tail: this, bytes, firstOffset, used: batches.length, nextOffset, dropped: false }
    this.#blocks.push(block)
    this.#bytes += bytes.length
    this.#budget.add(block)
    while (this.#bytes > PARTITION_LIMIT_BYTES) this.dropOldest()
  }

  /** From the batch that holds `offset`, which is at or after `firstOffset`. Undefined when there is nothing before the limit. */
  read(offset: number, maxBytes: number, limitOffset: number, minOneBatch: boolean): TailRead | undefined {
    const chunks: Uint8Array[] = []
    let bytes = 0
    let nextOffset = offset
    for (let i = this.#blockOf(offset); i < this.#blocks.length; i++) {
      const block = this.#blocks[i]!
      const whole = block.bytes.subarray(0, block.used)
      const { found, at, size } = locate(whole, nextOffset)
      if (!found) continue
      const room = bytes === 0 && minOneBatch ? Math.max(size, maxBytes) : maxBytes - bytes
      const taken = takeBatches(whole.subarray(at), room, limitOffset)
      if (taken.bytes === 0) break
      chunks.push(whole.subarray(at, at + taken.bytes))
      bytes += taken.bytes
      nextOffset = taken.nextOffset
      if (at + taken.bytes < block.used) break
    }
    return bytes === 0 ? undefined : { chunks, bytes, nextOffset, lateMs: 0 }
  }

  dropOldest(): void {
    const block = this.#blocks.shift()
    if (block === undefined) return
    this.#bytes -= block.bytes.length
    this.#budget.release(block)
  }

  clear(): void {
    while (this.#blocks.length > 0) this.dropOldest()
  }

  /** Index of the last block that begins at or before `offset`. */
  #blockOf(offset: number): number {
    let i = this.#blocks.length - 1
    while (i > 0 && this.#blocks[i]!.firstOffset > offset) i--
    return i
  }

  /** The request's own memory is kept if that does not hold much more alive than is needed; small batches are gathered in blocks. */
  #blockFor(batches: Uint8Array, last: Block | undefined): Uint8Array {
    if (batches.length >= LARGE_BYTES && batches.length * 2 >= batches.buffer.byteLength) return batches
    const growing = Math.min(MAX_BLOCK_BYTES, (last?.bytes.length ?? 0) * 2)
    const block = Buffer.allocUnsafeSlow(Math.max(MIN_BLOCK_BYTES, growing, batches.length))
    block.set(batches)
    return block
  }
}
