// Snappy, raw (format_description.txt) and in the xerial framing of Java clients: a header, then raw pieces of at most 32 KiB
// with their sizes. Java reads both, librdkafka writes raw: so do we read both and write the framing. Plain code for the reasons
// of LZ4.
import { Buffer } from 'node:buffer'
import { MalformedError } from '../malformed.ts'
import { Output } from './output.ts'

/** 0x82 "SNAPPY" 0, version 1, oldest compatible version 1. */
const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
const XERIAL_MAGIC = XERIAL_HEADER.subarray(0, 8)
const PIECE = 32 * 1024
const HASH_BITS = 13
/** No match begins within this of the end, so that words can be read without a check. */
const MARGIN = 4

export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const pieces = Math.ceil(bytes.length / PIECE)
  const target = Buffer.allocUnsafe(XERIAL_HEADER.length + pieces * 16 + bytes.length + Math.ceil(bytes.length / 6))
  target.set(XERIAL_HEADER)
  let at = XERIAL_HEADER.length
  for (let start = 0; start < bytes.length; start += PIECE) {
    const stop = compressRaw(bytes, start, Math.min(bytes.length, start + PIECE), target, at + 4)
    target.writeInt32BE(stop - at - 4, at)
    at = stop
  }
  return target.subarray(0, at)
}

export function decompressSnappy(input: Uint8Array, limit: number): Uint8Array {
  const source = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const output = new Output(limit, source.length * 3)
  if (!source.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    decompressRaw(source, 0, source.length, output)
    return output.finish()
  }
  let p = XERIAL_HEADER.length
  if (p > source.length) throw new MalformedError('snappy: a framing header cut short')
  while (p < source.length) {
    const size = p + 4 <= source.length ? source.readInt32BE(p) : -1
    p += 4
    if (size < 0 || size > source.length - p) throw new MalformedError(`snappy: a piece of ${size} bytes at ${p}`)
    decompressRaw(source, p, p + size, output)
    p += size
  }
  return output.finish()
}

function decompressRaw(source: Uint8Array, start: number, end: number, output: Output): void {
  let length = 0
  let p = start
  for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
    if (p >= end || shift > 28) throw new MalformedError('snappy: no length')
    byte = source[p++]!
    length += (byte & 0x7f) * 2 ** shift
  }
  const stop = output.length + length
  while (p < end) p = decompressElement(source, p, end, output)
  if (output.length !== stop) throw new MalformedError(`snappy: ${output.length - stop} bytes more than it says`)
}

/** One element, whose tag's low bits say which: literal, or a copy with an offset of 1, 2 or 4 bytes. */
function decompressElement(source: Uint8Array, p: number, end: number, output: Output): number {
  const tag = source[p++]!
  const extra = tag & 3
  if (extra === 0) {
    let length = tag >>> 2
    const bytes = length < 60 ? 0 : length - 59
    if (p + bytes > end) throw new MalformedError('snappy: a literal cut short')
    if (bytes > 0) length = littleEndian(source, p, bytes)
    p += bytes
    if (length + 1 > end - p) throw new MalformedError('snappy: a literal beyond the end')
    output.copy(source, p, length + 1)
    return p + length + 1
  }
  const bytes = extra === 3 ? 4 : extra
  if (p + bytes > end) throw new MalformedError('snappy: a copy cut short')
  if (extra === 1) output.repeat(((tag >>> 5) << 8) | source[p]!, ((tag >>> 2) & 7) + 4)
  else output.repeat(littleEndian(source, p, bytes), (tag >>> 2) + 1)
  return p + bytes
}

function littleEndian(source: Uint8Array, p: number, bytes: number): number {
  let value = 0
  for (let i = 0; i < bytes; i++) value += source[p + i]! * 2 ** (8 * i)
  return value
}

/** Writes source[start, end), at most 64 KiB, as one raw piece; returns where it ended. */
function compressRaw(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  for (let left = end - start; ; left >>>= 7) {
    target[at++] = left < 0x80 ? left : (left & 0x7f) | 0x80
    if (left < 0x80) break
  }
  // Positions in the piece plus one; 0 is none.
  const table = new Uint32Array(1 << HASH_BITS)
  let anchor = start
  let misses = 0
  for (let p = start; p < end - MARGIN;) {
    const value = word(source, p)
    const slot = Math.imul(value, 0x1e35a7bd) >>> (32 - HASH_BITS)
    const candidate = start + table[slot]! - 1
    table[slot] = p - start + 1
    if (candidate < start || word(source, candidate) !== value) {
      p += 1 + (misses++ >>> 5)
      continue
    }
    misses = 0
    at = putLiteral(source, anchor, p, target, at)
    let length = 4
    while (p + length < end && source[p + length] === source[candidate + length]) length++
    at = putCopy(target, at, p - candidate, length)
    p += length
    anchor = p
  }
  return putLiteral(source, anchor, end, target, at)
}

function putLiteral(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
  const length = to - from
  if (length === 0) return at
  const least = length - 1
  if (least < 60) target[at++] = least << 2
  else {
    target[at++] = (least < 0x100 ? 60 : 61) << 2
    target[at++] = least
    if (least >= 0x100) target[at++] = least >>> 8
  }
  target.set(source.subarray(from, to), at)
  return at + length
}

function putCopy(target: Uint8Array, at: number, distance: number, length: number): number {
  // Pieces of 64, but never a rest below 4, which only the short form could not say.
  while (length > 0) {
    const piece = length > 67 ? 64 : length > 64 ? 60 : length
    if (piece >= 4 && piece < 12 && distance < 2048) {
      target[at++] = ((distance >>> 8) << 5) | ((piece - 4) << 2) | 1
      target[at++] = distance
    } else {
      target[at++] = ((piece - 1) << 2) | 2
      target[at++] = distance
      target[at++] = distance >>> 8
    }
    length -= piece
  }
  return at
}

function word(bytes: Uint8Array, p: number): number {
  return bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
}
