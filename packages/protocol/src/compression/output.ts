// Where a decompressor writes: memory that grows as bytes come and never beyond the limit, so that a bomb costs the limit at
// most.
import { Buffer } from 'node:buffer'
import { MalformedError } from '../malformed.ts'

/** Below this length a loop is faster than a call. */
const SHORT = 32

export class Output {
  #bytes: Buffer
  #length = 0
  readonly #limit: number

  /** `expected` is a guess or a peer's claim: no more than a start. */
  constructor(limit: number, expected: number) {
    this.#limit = limit
    this.#bytes = Buffer.allocUnsafe(Math.min(limit, Math.max(expected, 64)))
  }

  get length(): number {
    return this.#length
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    if (needed > this.#limit) throw new MalformedError(`decompresses to more than ${this.#limit} bytes`)
    const larger = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(needed, this.#bytes.length * 2)))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  /** `source` must hold the range. */
  copy(source: Uint8Array, from: number, count: number): void {
    this.#reserve(count)
    const bytes = this.#bytes
    let to = this.#length
    this.#length = to + count
    if (count > SHORT) bytes.set(source.subarray(from, from + count), to)
    else for (const end = from + count; from < end;) bytes[to++] = source[from++]!
  }

  fill(byte: number, count: number): void {
    this.#reserve(count)
    this.#bytes.fill(byte, this.#length, this.#length + count)
    this.#length += count
  }

  /** Repeats `count` bytes from `distance` back; they may overlap what is being written, which repeats a pattern. */
  repeat(distance: number, count: number): void {
    if (distance < 1 || distance > this.#length) throw new MalformedError(`a match ${distance} back at ${this.#length}`)
    this.#reserve(count)
    const bytes = this.#bytes
    let to = this.#length
    const end = to + count
    this.#length = end
    if (count <= SHORT) {
      for (let from = to - distance; to < end;) bytes[to++] = bytes[from++]!
      return
    }
    const start = to - distance
    for (let have = distance; to < end; have = to - start) {
      const piece = Math.min(have, end - to)
      bytes.copyWithin(to, start, start + piece)
      to += piece
    }
  }
}
