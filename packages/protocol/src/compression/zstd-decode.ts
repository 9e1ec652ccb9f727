// Decompresses zstd frames (RFC 8878) where node:zlib cannot. No dictionaries. The output is the window, and its limit is the
// only bound on it; content checksums are left to the CRC of the record batch.
import { Buffer } from 'node:buffer'
import { MalformedError } from '../malformed.ts'
import { Output } from './output.ts'
import {
  type Codes,
  LITERAL_LENGTH_ACCURACY,
  LITERAL_LENGTHS,
  MATCH_LENGTH_ACCURACY,
  MATCH_LENGTHS,
  MAX_OFFSET_CODE,
  OFFSET_ACCURACY,
  type PredefinedTables,
  predefinedTables,
} from './zstd-codes.ts'
import { BackwardBits, type FseTable, readFseTable, singleSymbolTable } from './zstd-fse.ts'
import { type HuffmanTable, readHuffmanStream, readHuffmanTable } from './zstd-huffman.ts'

const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a5
export const MAX_BLOCK = 128 * 1024

/** What a block of a frame may take over from the one before. */
interface FrameState {
  huffman: HuffmanTable | undefined
  literalLength: FseTable | undefined
  matchLength: FseTable | undefined
  offset: FseTable | undefined
  readonly recent: [number, number, number]
}

export function decodeZstd(input: Uint8Array, limit: number): Uint8Array {
  const source = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const output = new Output(limit, source.length * 3)
  const predefined = predefinedTables()
  let p = 0
  while (p < source.length) {
    need(source, p, 4)
    const magic = source.readUInt32LE(p)
    if (magic >>> 4 === SKIPPABLE) {
      need(source, p, 8)
      const size = source.readUInt32LE(p + 4)
      need(source, p + 8, size)
      p += 8 + size
    } else if (magic === MAGIC) p = decodeFrame(source, p + 4, output, predefined)
    else throw new MalformedError(`zstd: a frame that begins with ${magic.toString(16)}`)
  }
  return output.finish()
}

function need(source: Uint8Array, position: number, count: number): void {
  if (position + count > source.length) throw new MalformedError(`zstd: ${count} bytes at ${position}, of ${source.length}`)
}

function decodeFrame(source: Buffer, start: number, output: Output, predefined: PredefinedTables): number {
  need(source, start, 1)
  const flags = source[start]!
  const single = (flags & 0x20) !== 0
  const checksum = (flags & 4) !== 0
  if (flags & 8) throw new MalformedError('zstd: a reserved bit in the frame header')
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >>> 6]!
  let p = start + (single ? 1 : 2)
  need(source, p, dictionaryBytes + sizeBytes)
  if (source.subarray(p, p + dictionaryBytes).some((byte) => byte !== 0)) throw new MalformedError('zstd: needs a dictionary')
  p += dictionaryBytes + sizeBytes

  const state: FrameState = {
    huffman: undefined,
    literalLength: undefined,
    matchLength: undefined,
    offset: undefined,
    recent: [1, 4, 8],
  }
  for (let last = false; !last;) {
    need(source, p, 3)
    const header = source.readUIntLE(p, 3)
    p += 3
    last = (header & 1) !== 0
    p = decodeBlock(source, p, (header >>> 1) & 3, header >>> 3, output, state, predefined)
  }
  if (checksum) need(source, p, 4)
  return checksum ? p + 4 : p
}

function decodeBlock(
  source: Buffer,
  p: number,
  type: number,
  size: number,
  output: Output,
  state: FrameState,
  predefined: PredefinedTables,
): number {
  if (size > MAX_BLOCK || type === 3) throw new MalformedError(`zstd: a block of type ${type} and ${size} bytes`)
  const stored = type === 1 ? 1 : size
  need(source, p, stored)
  if (type === 0) output.copy(source, p, size)
  else if (type === 1) output.fill(source[p]!, size)
  else {
    const literals = readLiterals(source, p, p + size, state)
    decodeSequences(source, literals.end, p + size, literals.bytes, output, state, predefined)
  }
  return p + stored
}

interface Literals {
  readonly bytes: Uint8Array
  readonly end: number
}

function readLiterals(source: Buffer, start: number, end: number, state: FrameState): Literals {
  if (start >= end) throw new MalformedError('zstd: an empty block')
  const type = source[start]! & 3
  const format = (source[start]! >>> 2) & 3
  if (type >= 2) return readHuffmanLiterals(source, start, end, type, format, state)
  const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1
  if (start + headerBytes > end) throw new MalformedError('zstd: literals cut short')
  const size = source.readUIntLE(start, headerBytes) >>> (headerBytes === 1 ? 3 : 4)
  const at = start + headerBytes
  const stop = at + (type === 1 ? 1 : size)
  if (stop > end || size > MAX_BLOCK) throw new MalformedError(`zstd: ${size} bytes of literals`)
  return { bytes: type === 1 ? Buffer.alloc(size, source[at]) : source.subarray(at, stop), end: stop }
}

function readHuffmanLiterals(
  source: Buffer,
  start: number,
  end: number,
  type: number,
  format: number,
  state: FrameState,
): Literals {
  const headerBytes = format < 2 ? 3 : format + 2
  if (start + headerBytes > end) throw new MalformedError('zstd: literals cut short')
  const width = format < 2 ? 10 : format === 2 ? 14 : 18
  const header = Math.floor(source.readUIntLE(start, headerBytes) / 16)
  const size = header % 2 ** width
  const stop = start + headerBytes + Math.floor(header / 2 ** width)
  if (stop > end || size > MAX_BLOCK) throw new MalformedError(`zstd: ${size} bytes of literals`)
  let at = start + headerBytes
  if (type === 2) {
    const read = readHuffmanTable(source, at, stop)
    state.huffman = read.table
    at = read.end
  }
  if (!state.huffman) throw new MalformedError('zstd: literals that need the Huffman table of an earlier block')
  const bytes = Buffer.allocUnsafe(size)
  if (format === 0) readHuffmanStream(state.huffman, source, at, stop, bytes, 0, size)
  else readFourStreams(state.huffman, source, at, stop, bytes)
  return { bytes, end: stop }
}

/** Four streams of a quarter each, after the sizes of the first three. */
function readFourStreams(table: HuffmanTable, source: Buffer, start: number, end: number, bytes: Uint8Array): void {
  if (start + 6 > end || bytes.length < 6) throw new MalformedError('zstd: four streams cut short')
  const quarter = (bytes.length + 3) >>> 2
  let at = start + 6
  for (let i = 0; i < 4; i++) {
    const stop = i === 3 ? end : at + source.readUInt16LE(start + 2 * i)
    if (stop > end) throw new MalformedError('zstd: four streams cut short')
    readHuffmanStream(
      table,
      source,
      at,
      stop,
      bytes,
      i * quarter,
      i === 3 ? bytes.length : Math.min((i + 1) * quarter, bytes.length),
    )
    at = stop
  }
}

function decodeSequences(
  source: Buffer,
  start: number,
  end: number,
  literals: Uint8Array,
  output: Output,
  state: FrameState,
  predefined: PredefinedTables,
): void {
  const { count, end: at } = readSequenceCount(source, start, end)
  if (count === 0) {
    if (at !== end) throw new MalformedError('zstd: bytes after a block without sequences')
    output.copy(literals, 0, literals.length)
    return
  }
  const bits = new BackwardBits(source, readTables(source, at, end, state, predefined), end)
  const before = output.length
  const used = runSequences(bits, count, literals, output, state)
  output.copy(literals, used, literals.length - used)
  if (output.length - before > MAX_BLOCK) throw new MalformedError(`zstd: a block that becomes more than ${MAX_BLOCK} bytes`)
}

function readSequenceCount(source: Buffer, start: number, end: number): { count: number; end: number } {
  const bytes = start >= end ? 9 : source[start]! < 128 ? 1 : source[start]! < 255 ? 2 : 3
  if (start + bytes > end) throw new MalformedError('zstd: sequences cut short')
  const first = source[start]!
  if (bytes === 1) return { count: first, end: start + 1 }
  if (bytes === 2) return { count: ((first - 128) << 8) + source[start + 1]!, end: start + 2 }
  return { count: source.readUInt16LE(start + 1) + 0x7f00, end: start + 3 }
}

/** Reads which tables the block uses, and those that it brings; returns where the sequences begin. */
function readTables(source: Buffer, start: number, end: number, state: FrameState, predefined: PredefinedTables): number {
  if (start >= end) throw new MalformedError('zstd: sequences cut short')
  const modes = source[start]!
  let p = start + 1
  const read = (name: keyof PredefinedTables, mode: number, maxAccuracy: number, maxSymbol: number) => {
    if (mode === 0) state[name] = predefined[name]
    else if (mode === 1) {
      if (p >= end || source[p]! > maxSymbol) throw new MalformedError('zstd: a sequence code beyond the last')
      state[name] = singleSymbolTable(source[p++]!)
    } else if (mode === 2) {
      const described = readFseTable(source, p, end, maxAccuracy, maxSymbol)
      state[name] = described.table
      p = described.end
    } else if (!state[name]) throw new MalformedError('zstd: sequences that need the table of an earlier block')
  }
  read('literalLength', modes >>> 6, LITERAL_LENGTH_ACCURACY, LITERAL_LENGTHS.base.length - 1)
  read('offset', (modes >>> 4) & 3, OFFSET_ACCURACY, MAX_OFFSET_CODE)
  read('matchLength', (modes >>> 2) & 3, MATCH_LENGTH_ACCURACY, MATCH_LENGTHS.base.length - 1)
  return p
}

/** Returns how many of the literals were used. */
function runSequences(bits: BackwardBits, count: number, literals: Uint8Array, output: Output, state: FrameState): number {
  const { literalLength, matchLength, offset } = state as Required<FrameState> & PredefinedTables
  let literalState = bits.read(literalLength.accuracy)
  let offsetState = bits.read(offset.accuracy)
  let matchState = bits.read(matchLength.accuracy)
  let used = 0
  for (let i = 0; i < count; i++) {
    const offsetCode = offset.symbol[offsetState]!
    // An offset beyond 2^25 takes two reads.
    const high = offsetCode > 24 ? bits.read(offsetCode - 24) * 2 ** 24 : 0
    const value = 2 ** offsetCode + high + bits.read(Math.min(offsetCode, 24))
    const match = valueOf(MATCH_LENGTHS, matchLength.symbol[matchState]!, bits)
    const literal = valueOf(LITERAL_LENGTHS, literalLength.symbol[literalState]!, bits)
    if (literal > literals.length - used) throw new MalformedError('zstd: sequences that use more literals than there are')
    output.copy(literals, used, literal)
    used += literal
    output.repeat(distanceOf(value, literal, state.recent), match)
    if (i + 1 < count) {
      literalState = literalLength.base[literalState]! + bits.read(literalLength.bits[literalState]!)
      matchState = matchLength.base[matchState]! + bits.read(matchLength.bits[matchState]!)
      offsetState = offset.base[offsetState]! + bits.read(offset.bits[offsetState]!)
    }
    if (bits.left < 0) throw new MalformedError('zstd: sequences cut short')
  }
  if (bits.left !== 0) throw new MalformedError(`zstd: ${bits.left} bits after the last sequence`)
  return used
}

function valueOf(codes: Codes, code: number, bits: BackwardBits): number {
  return codes.base[code]! + bits.read(codes.bits[code]!)
}

/** Values 1 to 3 mean one of the last three distances, shifted by one after no literals; the distance used moves to the front. */
function distanceOf(value: number, literals: number, recent: [number, number, number]): number {
  if (value > 3) {
    recent[2] = recent[1]
    recent[1] = recent[0]
    recent[0] = value - 3
    return recent[0]
  }
  const index = value - 1 + (literals === 0 ? 1 : 0)
  if (index === 0) return recent[0]
  const distance = index === 3 ? recent[0] - 1 : recent[index]!
  if (index > 1) recent[2] = recent[1]
  recent[1] = recent[0]
  recent[0] = distance
  return distance
}
