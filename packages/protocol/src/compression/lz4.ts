// LZ4 frames, the form in which Kafka carries LZ4 (lz4_Frame_format.md). Written as the Java client writes them: independent
// blocks of 64 KiB without checksums.
import { Buffer } from 'node:buffer'
import { MalformedError } from '../malformed.ts'
import { compressLz4Block, decompressLz4Block, lz4Bound } from './lz4-block.ts'
import { Output } from './output.ts'
import { xxhash32 } from './xxhash32.ts'

const MAGIC = 0x184d2204
const VERSION = 1 << 6
const INDEPENDENT_BLOCKS = 1 << 5
const BLOCK_CHECKSUM = 1 << 4
const CONTENT_SIZE = 1 << 3
const CONTENT_CHECKSUM = 1 << 2
const DICTIONARY = 1 << 0
const BLOCK_64_KIB = 4 << 4
const BLOCK_SIZE = 1 << 16
const NOT_COMPRESSED = 0x8000_0000

export function compressLz4(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / BLOCK_SIZE)
  const target = Buffer.allocUnsafe(7 + blocks * 4 + lz4Bound(bytes.length) + blocks * 16 + 4)
  target.writeUInt32LE(MAGIC, 0)
  target[4] = VERSION | INDEPENDENT_BLOCKS
  target[5] = BLOCK_64_KIB
  target[6] = headerChecksum(target, 4, 6)
  let at = 7
  for (let start = 0; start < bytes.length; start += BLOCK_SIZE) {
    const end = Math.min(bytes.length, start + BLOCK_SIZE)
    const stop = compressLz4Block(bytes, start, end, target, at + 4)
    const size = stop - at - 4
    if (size < end - start) {
      target.writeUInt32LE(size, at)
      at = stop
    } else {
      target.writeUInt32LE(NOT_COMPRESSED + end - start, at)
      target.set(bytes.subarray(start, end), at + 4)
      at += 4 + end - start
    }
  }
  target.writeUInt32LE(0, at)
  return target.subarray(0, at + 4)
}

export function decompressLz4(input: Uint8Array, limit: number): Uint8Array {
  const source = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const frame = readHeader(source)
  const output = new Output(limit, source.length * 3)
  let p = frame.end
  for (;;) {
    const word = take(source, p, 4).readUInt32LE(p)
    p += 4
    if (word === 0) break
    const size = word % NOT_COMPRESSED
    if (size > frame.blockSize) throw new MalformedError(`lz4: a block of ${size} bytes where ${frame.blockSize} are the most`)
    take(source, p, size)
    const before = output.length
    if (word >= NOT_COMPRESSED) output.copy(source, p, size)
    else decompressLz4Block(source, p, p + size, output)
    if (output.length - before > frame.blockSize) throw new MalformedError('lz4: a block that is larger than its frame allows')
    if (frame.blockChecksum) {
      check(take(source, p + size, 4).readUInt32LE(p + size), source.subarray(p, p + size), 'block')
      p += 4
    }
    p += size
  }
  const bytes = output.finish()
  if (frame.contentChecksum) check(take(source, p, 4).readUInt32LE(p), bytes, 'content')
  return bytes
}

interface FrameHeader {
  readonly end: number
  readonly blockSize: number
  readonly blockChecksum: boolean
  readonly contentChecksum: boolean
}

function readHeader(source: Buffer): FrameHeader {
  const magic = take(source, 0, 7).readUInt32LE(0)
  if (magic !== MAGIC) throw new MalformedError(`lz4: a frame that begins with ${magic.toString(16)}`)
  const flags = source[4]!
  if (flags >>> 6 !== 1) throw new MalformedError(`lz4: frame version ${flags >>> 6}`)
  if (flags & DICTIONARY) throw new MalformedError('lz4: a frame that needs a dictionary')
  const code = (source[5]! >>> 4) & 7
  if (code < 4) throw new MalformedError(`lz4: block size code ${code}`)
  const end = 6 + (flags & CONTENT_SIZE ? 8 : 0)
  take(source, end, 1)
  if (source[end] !== headerChecksum(source, 4, end))
    throw new MalformedError('lz4: the frame header does not match its checksum')
  return {
    end: end + 1,
    blockSize: 1 << (8 + 2 * code),
    blockChecksum: (flags & BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & CONTENT_CHECKSUM) !== 0,
  }
}

function headerChecksum(source: Uint8Array, start: number, end: number): number {
  return (xxhash32(source.subarray(start, end)) >>> 8) & 0xff
}

function take(source: Buffer, position: number, count: number): Buffer {
  if (position + count > source.length) throw new MalformedError(`lz4: ${count} bytes at ${position}, of ${source.length}`)
  return source
}

function check(expected: number, bytes: Uint8Array, what: string): void {
  if (xxhash32(bytes) !== expected) throw new MalformedError(`lz4: the ${what} does not match its checksum`)
}
