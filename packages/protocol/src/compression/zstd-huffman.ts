// Huffman coded literals of zstd (RFC 8878, section 4.2).
import { MalformedError } from '../malformed.ts'
import { BackwardBits, readFseTable } from './zstd-fse.ts'

const MAX_BITS = 11

/** Indexed by the next `bits` bits: the symbol, and how many of them it took. */
export interface HuffmanTable {
  readonly bits: number
  readonly symbol: Uint8Array
  readonly length: Uint8Array
}

export function readHuffmanTable(
  source: Uint8Array,
  start: number,
  end: number,
): { readonly table: HuffmanTable; readonly end: number } {
  if (start >= end) throw new MalformedError('zstd: no Huffman table')
  const header = source[start]!
  const size = header < 128 ? header : (header - 127 + 1) >>> 1
  const stop = start + 1 + size
  if (stop > end) throw new MalformedError('zstd: a Huffman table cut short')
  const weights = header < 128 ? fseWeights(source, start + 1, stop) : plainWeights(source, start + 1, header - 127)
  return { table: huffmanTable(weights), end: stop }
}

function plainWeights(source: Uint8Array, start: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const byte = source[start + (i >>> 1)]!
    return i % 2 === 0 ? byte >>> 4 : byte & 15
  })
}

/** Two interleaved states, until the bits run out. */
function fseWeights(source: Uint8Array, start: number, end: number): number[] {
  const { table, end: at } = readFseTable(source, start, end, 6, MAX_BITS)
  const bits = new BackwardBits(source, at, end)
  const states = [bits.read(table.accuracy), bits.read(table.accuracy)]
  const weights: number[] = []
  for (let turn = 0; ; turn ^= 1) {
    const state = states[turn]!
    weights.push(table.symbol[state]!)
    if (weights.length > 254) throw new MalformedError('zstd: too many Huffman weights')
    const width = table.bits[state]!
    if (bits.left < width) {
      weights.push(table.symbol[states[turn ^ 1]!]!)
      return weights
    }
    states[turn] = table.base[state]! + bits.read(width)
  }
}

/** The last symbol's weight is what fills the sum up to a power of two. */
function huffmanTable(weights: number[]): HuffmanTable {
  const sum = weights.reduce((total, weight) => total + (weight > 0 ? 1 << (weight - 1) : 0), 0)
  const bits = 32 - Math.clz32(sum)
  const rest = (1 << bits) - sum
  if (sum === 0 || bits > MAX_BITS || (rest & (rest - 1)) !== 0) throw new MalformedError('zstd: a Huffman table that is no tree')
  weights.push(32 - Math.clz32(rest))
  const table = { bits, symbol: new Uint8Array(1 << bits), length: new Uint8Array(1 << bits) }
  let at = 0
  for (let weight = 1; weight <= bits; weight++) {
    weights.forEach((it, symbol) => {
      if (it !== weight) return
      const span = 1 << (weight - 1)
      table.symbol.fill(symbol, at, at + span)
      table.length.fill(bits + 1 - weight, at, at + span)
      at += span
    })
  }
  return table
}

/** Fills target[from, to) from one stream, which must hold exactly that. */
export function readHuffmanStream(
  table: HuffmanTable,
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  from: number,
  to: number,
): void {
  const bits = new BackwardBits(source, start, end)
  const { symbol, length } = table
  for (let i = from; i < to; i++) {
    const code = bits.peek(table.bits)
    target[i] = symbol[code]!
    bits.left -= length[code]!
  }
  if (bits.left !== 0) throw new MalformedError(`zstd: literals that end ${bits.left} bits from their stream's start`)
}
