// Compresses to zstd frames where node:zlib cannot: matches found greedily, literals as they are, and the predefined tables,
// which is a part of the format that every reader has to know (RFC 8878, section 3.1.1.3.2.2). Close to LZ4 in ratio and in
// speed.
import { Buffer } from 'node:buffer'
import { type Codes, LITERAL_LENGTHS, MATCH_LENGTHS, predefinedTables } from './zstd-codes.ts'
import { MAX_BLOCK } from './zstd-decode.ts'
import type { FseTable } from './zstd-fse.ts'

const MAGIC = 0xfd2fb528
/** One segment: the window is the content, whose size follows in 4 bytes. */
const SINGLE_SEGMENT_SIZE_4 = 0xa0
const FRAME_HEADER = 9
const HASH_BITS = 15
const MIN_MATCH = 4
const RAW = 0
const COMPRESSED = 2

export function encodeZstd(bytes: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / MAX_BLOCK))
  const target = Buffer.allocUnsafe(FRAME_HEADER + bytes.length + blocks * 3)
  target.writeUInt32LE(MAGIC, 0)
  target[4] = SINGLE_SEGMENT_SIZE_4
  target.writeUInt32LE(bytes.length, 5)
  const encoder = new BlockEncoder(bytes)
  let at = FRAME_HEADER
  for (let i = 0; i < blocks; i++) {
    const start = i * MAX_BLOCK
    const end = Math.min(bytes.length, start + MAX_BLOCK)
    const block = encoder.encode(start, end)
    const type = block.length < end - start ? COMPRESSED : RAW
    const content = type === RAW ? bytes.subarray(start, end) : block
    target.writeUIntLE((i === blocks - 1 ? 1 : 0) | (type << 1) | (content.length << 3), at, 3)
    target.set(content, at + 3)
    at += 3 + content.length
  }
  return target.subarray(0, at)
}

/** Sequences of a block, in parallel arrays. `value` is what is written for the offset. */
interface Sequences {
  readonly literals: number[]
  readonly matches: number[]
  readonly values: number[]
}

class BlockEncoder {
  readonly #bytes: Uint8Array
  /** Positions plus one; 0 is none. */
  readonly #table = new Uint32Array(1 << HASH_BITS)
  readonly #literalLength: EncodingTable
  readonly #matchLength: EncodingTable
  readonly #offset: EncodingTable
  /** The distance that the last match had, in this block or before it. */
  #recent = 1

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    const tables = predefinedTables()
    this.#literalLength = new EncodingTable(tables.literalLength)
    this.#matchLength = new EncodingTable(tables.matchLength)
    this.#offset = new EncodingTable(tables.offset)
  }

  /** May be larger than what it encodes, and then is to be dropped. */
  encode(start: number, end: number): Uint8Array {
    const target = new BitWriter((end - start) * 2 + 64)
    const sequences: Sequences = { literals: [], matches: [], values: [] }
    const recent = this.#recent
    const literals = this.#findMatches(start, end, sequences)
    putLiterals(target, literals)
    putSequenceCount(target, sequences.values.length)
    if (sequences.values.length > 0) {
      target.byte(0)
      this.#putSequences(target, sequences)
    }
    const block = target.finish()
    // A block that goes out raw leaves the reader's recent distances as they were.
    if (block.length >= end - start) this.#recent = recent
    return block
  }

  /** Returns the block's literals, of all sequences and the rest. */
  #findMatches(start: number, end: number, { literals, matches, values }: Sequences): Uint8Array {
    const bytes = this.#bytes
    const table = this.#table
    const pieces: Uint8Array[] = []
    let anchor = start
    let misses = 0
    for (let p = start; p < end - MIN_MATCH;) {
      const value = word(bytes, p)
      const slot = Math.imul(value, 0x9e3779b1) >>> (32 - HASH_BITS)
      const candidate = table[slot]! - 1
      table[slot] = p + 1
      if (candidate < 0 || word(bytes, candidate) !== value) {
        p += 1 + (misses++ >>> 6)
        continue
      }
      misses = 0
      let length = MIN_MATCH
      while (p + length < end && bytes[p + length] === bytes[candidate + length]) length++
      const distance = p - candidate
      literals.push(p - anchor)
      matches.push(length)
      values.push(distance === this.#recent && p > anchor ? 1 : distance + 3)
      this.#recent = distance
      pieces.push(bytes.subarray(anchor, p))
      p += length
      anchor = p
    }
    pieces.push(bytes.subarray(anchor, end))
    return Buffer.concat(pieces)
  }

  /** Last sequence first, because the reader goes backward. */
  #putSequences(target: BitWriter, { literals, matches, values }: Sequences): void {
    let literalState = 0
    let matchState = 0
    let offsetState = 0
    for (let i = values.length - 1; i >= 0; i--) {
      const literalCode = codeOf(LITERAL_LENGTHS, literals[i]!)
      const matchCode = codeOf(MATCH_LENGTHS, matches[i]!)
      const offsetCode = 31 - Math.clz32(values[i]!)
      if (i === values.length - 1) {
        literalState = this.#literalLength.first(literalCode)
        matchState = this.#matchLength.first(matchCode)
        offsetState = this.#offset.first(offsetCode)
      } else {
        offsetState = this.#offset.step(target, offsetCode, offsetState)
        matchState = this.#matchLength.step(target, matchCode, matchState)
        literalState = this.#literalLength.step(target, literalCode, literalState)
      }
      target.bits(literals[i]! - LITERAL_LENGTHS.base[literalCode]!, LITERAL_LENGTHS.bits[literalCode]!)
      target.bits(matches[i]! - MATCH_LENGTHS.base[matchCode]!, MATCH_LENGTHS.bits[matchCode]!)
      const extra = values[i]! - 2 ** offsetCode
      target.bits(extra & 0xffffff, Math.min(offsetCode, 24))
      if (offsetCode > 24) target.bits(extra >>> 24, offsetCode - 24)
    }
    target.bits(matchState, this.#matchLength.accuracy)
    target.bits(offsetState, this.#offset.accuracy)
    target.bits(literalState, this.#literalLength.accuracy)
    target.bits(1, 1)
  }
}

/** A table turned round: for a symbol and the state that follows, the state before. */
class EncodingTable {
  readonly accuracy: number
  readonly #table: FseTable
  readonly #before: Uint16Array

  constructor(table: FseTable) {
    this.accuracy = table.accuracy
    this.#table = table
    const size = 1 << table.accuracy
    this.#before = new Uint16Array(256 * size)
    for (let state = 0; state < size; state++) {
      const from = table.base[state]!
      this.#before.fill(state, table.symbol[state]! * size + from, table.symbol[state]! * size + from + (1 << table.bits[state]!))
    }
  }

  first(symbol: number): number {
    return this.#before[symbol << this.accuracy]!
  }

  /** Writes the bits that lead from the state returned, which stands for `symbol`, to `next`. */
  step(target: BitWriter, symbol: number, next: number): number {
    const state = this.#before[(symbol << this.accuracy) + next]!
    target.bits(next - this.#table.base[state]!, this.#table.bits[state]!)
    return state
  }
}

/** The code whose range holds the value. */
function codeOf(codes: Codes, value: number): number {
  let code = Math.min(value - codes.base[0]!, codes.base.length - 1)
  while (codes.base[code]! > value) code--
  return code
}

function putLiterals(target: BitWriter, literals: Uint8Array): void {
  const size = literals.length
  if (size < 32) target.byte(size << 3)
  else {
    const header = (size << 4) | ((size < 4096 ? 1 : 3) << 2)
    target.byte(header)
    target.byte(header >>> 8)
    if (size >= 4096) target.byte(header >>> 16)
  }
  target.raw(literals)
}

function putSequenceCount(target: BitWriter, count: number): void {
  if (count < 128) target.byte(count)
  else if (count < 0x7f00) {
    target.byte((count >>> 8) + 128)
    target.byte(count)
  } else {
    target.byte(255)
    target.byte(count - 0x7f00)
    target.byte((count - 0x7f00) >>> 8)
  }
}

class BitWriter {
  readonly #bytes: Buffer
  #at = 0
  #pending = 0
  #pendingBits = 0

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size)
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Up to 24 bits, above those before. */
  bits(value: number, count: number): void {
    this.#pending |= value << this.#pendingBits
    this.#pendingBits += count
    for (; this.#pendingBits >= 8; this.#pendingBits -= 8) {
      this.#bytes[this.#at++] = this.#pending
      this.#pending >>>= 8
    }
  }

  finish(): Uint8Array {
    if (this.#pendingBits > 0) this.#bytes[this.#at++] = this.#pending
    return this.#bytes.subarray(0, this.#at)
  }
}

function word(bytes: Uint8Array, p: number): number {
  return bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
}
