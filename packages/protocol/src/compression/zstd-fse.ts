// Finite state entropy, the coder of zstd's sequences and Huffman weights (RFC 8878, section 4.1), and the bits it lies in.
import { MalformedError } from '../malformed.ts'

/** For each state: the symbol it stands for, and how the next state is found: `base` plus a number of `bits` bits. */
export interface FseTable {
  readonly accuracy: number
  readonly symbol: Uint8Array
  readonly bits: Uint8Array
  readonly base: Uint16Array
}

/** A table in which every state is one symbol that takes no bits. */
export function singleSymbolTable(symbol: number): FseTable {
  return { accuracy: 0, symbol: Uint8Array.of(symbol), bits: new Uint8Array(1), base: new Uint16Array(1) }
}

/** `counts` sum to 2^accuracy; -1 stands for a probability below one, which takes one state at the end of the table. */
export function fseTable(counts: readonly number[], accuracy: number): FseTable {
  const size = 1 << accuracy
  const table = { accuracy, symbol: new Uint8Array(size), bits: new Uint8Array(size), base: new Uint16Array(size) }
  const next = Uint16Array.from(counts, (count) => Math.abs(count))
  let high = size - 1
  counts.forEach((count, symbol) => {
    if (count === -1) table.symbol[high--] = symbol
  })
  const step = (size >> 1) + (size >> 3) + 3
  let position = 0
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      table.symbol[position] = symbol
      do position = (position + step) & (size - 1)
      while (position > high)
    }
  })
  for (let state = 0; state < size; state++) {
    const value = next[table.symbol[state]!]!++
    const bits = accuracy - (31 - Math.clz32(value))
    table.bits[state] = bits
    table.base[state] = (value << bits) - size
  }
  return table
}

/** The table described at `start`, and where the description ends. */
export function readFseTable(
  source: Uint8Array,
  start: number,
  end: number,
  maxAccuracy: number,
  maxSymbol: number,
): { readonly table: FseTable; readonly end: number } {
  const bits = new ForwardBits(source, start, end)
  const accuracy = bits.read(4) + 5
  if (accuracy > maxAccuracy) throw new MalformedError(`zstd: a table of accuracy ${accuracy}`)
  const counts: number[] = []
  let remaining = 1 << accuracy
  while (remaining > 0) {
    if (counts.length > maxSymbol) throw new MalformedError('zstd: a table with too many symbols')
    const count = readCount(bits, remaining)
    remaining -= Math.abs(count)
    counts.push(count)
    if (count === 0) readZeros(bits, counts, maxSymbol)
  }
  return { table: fseTable(counts, accuracy), end: bits.byteEnd() }
}

/** A count from -1 to `remaining`: the smaller ones take one bit less where the range is no power of two. */
function readCount(bits: ForwardBits, remaining: number): number {
  const width = 32 - Math.clz32(remaining + 1)
  const short = (1 << width) - 1 - (remaining + 1)
  const low = bits.read(width - 1)
  if (low < short) return low - 1
  const value = low + (bits.read(1) << (width - 1))
  return (value >= 1 << (width - 1) ? value - short : value) - 1
}

/** After a zero: how many more follow, two bits at a time. */
function readZeros(bits: ForwardBits, counts: number[], maxSymbol: number): void {
  for (let more = 3; more === 3;) {
    more = bits.read(2)
    for (let i = 0; i < more; i++) counts.push(0)
    if (counts.length > maxSymbol + 1) throw new MalformedError('zstd: a table with too many symbols')
  }
}

class ForwardBits {
  readonly #source: Uint8Array
  readonly #start: number
  readonly #end: number
  #bit = 0

  constructor(source: Uint8Array, start: number, end: number) {
    this.#source = source
    this.#start = start
    this.#end = end
  }

  read(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++, this.#bit++) {
      const p = this.#start + (this.#bit >>> 3)
      if (p >= this.#end) throw new MalformedError('zstd: a table cut short')
      value |= ((this.#source[p]! >>> (this.#bit & 7)) & 1) << i
    }
    return value
  }

  byteEnd(): number {
    return this.#start + ((this.#bit + 7) >>> 3)
  }
}

/** Bits read from the end to the start. The highest set bit of the last byte marks where they begin. */
export class BackwardBits {
  readonly #source: Uint8Array
  readonly #start: number
  /** Bits left; below 0 when more was read than there is, which then were zeros. */
  left: number

  constructor(source: Uint8Array, start: number, end: number) {
    const last = end > start ? source[end - 1]! : 0
    if (last === 0) throw new MalformedError('zstd: bits without their mark')
    this.#source = source
    this.#start = start
    this.left = (end - start) * 8 - (Math.clz32(last) - 24) - 1
  }

  /** Up to 25 bits. */
  read(count: number): number {
    this.left -= count
    return this.#at(this.left, count)
  }

  /** As read, but without moving. */
  peek(count: number): number {
    return this.#at(this.left - count, count)
  }

  #at(bit: number, count: number): number {
    if (bit < 0) {
      if (bit + count <= 0) return 0
      return (this.#at(0, bit + count) << -bit) & ((1 << count) - 1)
    }
    const source = this.#source
    const p = this.#start + (bit >>> 3)
    const word = source[p]! | (source[p + 1]! << 8) | (source[p + 2]! << 16) | (source[p + 3]! << 24)
    return (word >>> (bit & 7)) & ((1 << count) - 1)
  }
}
