// LZ4 blocks: sequences of literals and matches (lz4_Block_format.md). Plain code rather than a native package, so that it loads
// nothing, stops at any limit, and gives the same bytes everywhere, which seeded runs need.
import { MalformedError } from '../malformed.ts'
import type { Output } from './output.ts'

const MIN_MATCH = 4
/** The format wants the last 5 bytes to be literals, and no match to begin within the last 12. */
const LAST_LITERALS = 5
const MATCH_LIMIT = 12
const HASH_BITS = 13
const MAX_DISTANCE = 0xffff

/** Appends what the block source[start, end) holds; matches may reach back into earlier blocks of the output. */
export function decompressLz4Block(source: Uint8Array, start: number, end: number, output: Output): void {
  let p = start
  while (p < end) {
    const token = source[p++]!
    let literals = token >>> 4
    if (literals === 15) {
      let more: number
      do {
        if (p >= end) throw new MalformedError('lz4: a block cut short in a length')
        more = source[p++]!
        literals += more
      } while (more === 255)
    }
    if (literals > end - p) throw new MalformedError('lz4: literals beyond the end of the block')
    output.copy(source, p, literals)
    p += literals
    if (p === end) return
    if (p + 2 > end) throw new MalformedError('lz4: a block cut short in a match')
    const distance = source[p]! | (source[p + 1]! << 8)
    p += 2
    let match = token & 15
    if (match === 15) {
      let more: number
      do {
        if (p >= end) throw new MalformedError('lz4: a block cut short in a length')
        more = source[p++]!
        match += more
      } while (more === 255)
    }
    output.repeat(distance, match + MIN_MATCH)
  }
}

/** The largest that a block of `size` bytes can become. */
export function lz4Bound(size: number): number {
  return size + Math.floor(size / 255) + 16
}

/** Compresses source[start, end), at most 64 KiB of it, into `target` at `at`; returns where it ended. */
export function compressLz4Block(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  // Positions in the block plus one; 0 is none.
  const table = new Uint32Array(1 << HASH_BITS)
  let anchor = start
  let misses = 0
  for (let p = start; p < end - MATCH_LIMIT;) {
    const value = word(source, p)
    const slot = Math.imul(value, 0x9e3779b1) >>> (32 - HASH_BITS)
    const candidate = start + table[slot]! - 1
    table[slot] = p - start + 1
    if (candidate < start || p - candidate > MAX_DISTANCE || word(source, candidate) !== value) {
      // The longer nothing matches, the larger the steps: data that does not compress passes quickly.
      p += 1 + (misses++ >>> 6)
      continue
    }
    misses = 0
    let length = MIN_MATCH
    while (p + length < end - LAST_LITERALS && source[p + length] === source[candidate + length]) length++
    at = putSequence(source, anchor, p, target, at, length, p - candidate)
    p += length
    anchor = p
  }
  return putSequence(source, anchor, end, target, at, 0, 0)
}

/** Literals, then a match unless its length is 0, which only the last sequence has. */
function putSequence(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
  match: number,
  distance: number,
): number {
  const literals = to - from
  const extra = match === 0 ? 0 : match - MIN_MATCH
  target[at++] = (Math.min(literals, 15) << 4) | Math.min(extra, 15)
  if (literals >= 15) at = putLength(target, at, literals - 15)
  if (literals > 32) {
    target.set(source.subarray(from, to), at)
    at += literals
  } else while (from < to) target[at++] = source[from++]!
  if (match === 0) return at
  target[at++] = distance
  target[at++] = distance >>> 8
  return extra >= 15 ? putLength(target, at, extra - 15) : at
}

function putLength(target: Uint8Array, at: number, left: number): number {
  for (; left >= 255; left -= 255) target[at++] = 255
  target[at++] = left
  return at
}

function word(bytes: Uint8Array, p: number): number {
  return bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
}
