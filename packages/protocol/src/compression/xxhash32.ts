// xxHash32 with seed 0: the checksum of LZ4 frames.

const P1 = 0x9e3779b1
const P2 = 0x85ebca77
const P3 = 0xc2b2ae3d
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function word(bytes: Uint8Array, p: number): number {
  return bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, P2)) | 0, 13), P1)
}

export function xxhash32(bytes: Uint8Array): number {
  let p = 0
  let hash = P5
  if (bytes.length >= 16) {
    let a = (P1 + P2) | 0
    let b = P2 | 0
    let c = 0
    let d = -P1 | 0
    for (; p + 16 <= bytes.length; p += 16) {
      a = round(a, word(bytes, p))
      b = round(b, word(bytes, p + 4))
      c = round(c, word(bytes, p + 8))
      d = round(d, word(bytes, p + 12))
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)
  }
  hash = (hash + bytes.length) | 0
  for (; p + 4 <= bytes.length; p += 4) hash = Math.imul(rotate((hash + Math.imul(word(bytes, p), P3)) | 0, 17), P4)
  for (; p < bytes.length; p++) hash = Math.imul(rotate((hash + Math.imul(bytes[p]!, P5)) | 0, 11), P1)
  hash = Math.imul(hash ^ (hash >>> 15), P2)
  hash = Math.imul(hash ^ (hash >>> 13), P3)
  return (hash ^ (hash >>> 16)) >>> 0
}
