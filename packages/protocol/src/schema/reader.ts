// Reads Kafka's primitive types from bytes that may be garbage: every length is checked against what is left before anything is
// allocated for it, and what does not add up throws MalformedError. `what` names the field, for the error's text.
import { Buffer } from 'node:buffer'
import { MalformedError } from '../malformed.ts'
import { UUID_BYTES } from '../uuid.ts'

/** Kafka limits strings to what an int16 can count, in the compact form too. */
export const MAX_STRING_BYTES = 0x7fff

export class Reader {
  readonly bytes: Buffer
  readonly #context: string
  position: number
  readonly end: number

  constructor(bytes: Uint8Array, position: number, context: string) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = position
    this.end = bytes.length
    this.#context = context
  }

  fail(what: string, happened: string): never {
    throw new MalformedError(`${this.#context}: ${what}: ${happened}`)
  }

  #take(count: number, what: string): number {
    const start = this.position
    if (count > this.end - start) this.fail(what, `needs ${count} bytes, ${this.end - start} left`)
    this.position = start + count
    return start
  }

  bool(what: string): boolean {
    return this.bytes[this.#take(1, what)] !== 0
  }

  int8(what: string): number {
    return (this.bytes[this.#take(1, what)]! << 24) >> 24
  }

  uint16(what: string): number {
    const p = this.#take(2, what)
    return (this.bytes[p]! << 8) | this.bytes[p + 1]!
  }

  int16(what: string): number {
    return (this.uint16(what) << 16) >> 16
  }

  int32(what: string): number {
    const p = this.#take(4, what)
    const bytes = this.bytes
    return (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!
  }

  uint32(what: string): number {
    return this.int32(what) >>> 0
  }

  int64(what: string): number {
    const high = this.int32(what)
    const value = high * 0x1_0000_0000 + (this.int32(what) >>> 0)
    if (!Number.isSafeInteger(value)) this.fail(what, 'an integer beyond 2^53')
    return value
  }

  float64(what: string): number {
    return this.bytes.readDoubleBE(this.#take(8, what))
  }

  uuid(what: string): string {
    const p = this.#take(UUID_BYTES, what)
    return this.bytes.toString('base64url', p, p + UUID_BYTES)
  }

  /** Unsigned, at most 32 bits in at most 5 bytes. */
  uvarint(what: string): number {
    const first = this.bytes[this.#take(1, what)]!
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.bytes[this.#take(1, what)]!
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    return this.fail(what, 'a varint of more than 32 bits')
  }

  #text(length: number, what: string): string {
    if (length > MAX_STRING_BYTES) this.fail(what, `a string of ${length} bytes`)
    const p = this.#take(length, what)
    if (length === 0) return ''
    const text = this.bytes.toString('utf8', p, p + length)
    // Bytes that are no UTF-8 come back as U+FFFD, three bytes each: an answer that repeats the text must still fit.
    const grows = length > MAX_STRING_BYTES / 3 && Buffer.byteLength(text) > MAX_STRING_BYTES
    return grows ? this.fail(what, `${length} bytes that are not UTF-8`) : text
  }

  /** -1 is null and nothing else is negative. */
  #length(length: number, what: string): number {
    if (length < 0) this.fail(what, length === -1 ? 'null where the version has none' : `length ${length}`)
    return length
  }

  string(what: string): string {
    return this.#text(this.#length(this.int16(what), what), what)
  }

  nullableString(what: string): string | null {
    const length = this.int16(what)
    return length === -1 ? null : this.#text(this.#length(length, what), what)
  }

  compactString(what: string): string {
    return this.#text(this.#length(this.uvarint(what) - 1, what), what)
  }

  compactNullableString(what: string): string | null {
    const length = this.uvarint(what) - 1
    return length === -1 ? null : this.#text(length, what)
  }

  #view(length: number, what: string): Uint8Array {
    const p = this.#take(length, what)
    return this.bytes.subarray(p, p + length)
  }

  data(what: string): Uint8Array {
    return this.#view(this.#length(this.int32(what), what), what)
  }

  nullableData(what: string): Uint8Array | null {
    const length = this.int32(what)
    return length === -1 ? null : this.#view(this.#length(length, what), what)
  }

  compactData(what: string): Uint8Array {
    return this.#view(this.#length(this.uvarint(what) - 1, what), what)
  }

  compactNullableData(what: string): Uint8Array | null {
    const length = this.uvarint(what) - 1
    return length === -1 ? null : this.#view(length, what)
  }

  /** `least` is the fewest bytes that one element takes: more elements than fit are refused before the first is read. */
  #count(count: number, least: number, what: string): number {
    if (count * least > this.end - this.position) this.fail(what, `${count} elements, ${this.end - this.position} bytes left`)
    return count
  }

  count(least: number, what: string): number {
    return this.#count(this.#length(this.int32(what), what), least, what)
  }

  /** -1 when null. */
  nullableCount(least: number, what: string): number {
    const count = this.int32(what)
    return count === -1 ? -1 : this.#count(this.#length(count, what), least, what)
  }

  compactCount(least: number, what: string): number {
    return this.#count(this.#length(this.uvarint(what) - 1, what), least, what)
  }

  /** -1 when null. */
  compactNullableCount(least: number, what: string): number {
    return this.#count(this.uvarint(what) - 1, least, what)
  }

  /** The marker before a nullable struct. */
  present(what: string): boolean {
    const marker = this.int8(what)
    if (marker !== 1 && marker !== -1) this.fail(what, `marker ${marker} before a nullable struct`)
    return marker === 1
  }

  /** In a tagged field the same marker is an unsigned varint, and 0 for null. */
  taggedPresent(what: string): boolean {
    const marker = this.uvarint(what)
    if (marker > 1) this.fail(what, `marker ${marker} before a nullable struct`)
    return marker === 1
  }

  /** Where the tagged field that starts here ends. */
  tagEnd(what: string): number {
    const size = this.uvarint(what)
    if (size > this.end - this.position) this.fail(what, `a tagged field of ${size} bytes, ${this.end - this.position} left`)
    return this.position + size
  }

  closeTag(end: number, what: string): void {
    if (this.position !== end) this.fail(what, `a tagged field that ends ${this.position - end} bytes from its size`)
  }

  /** A tagged section of which nothing is known. */
  skipTags(what: string): void {
    for (let left = this.uvarint(what); left > 0; left--) {
      this.uvarint(what)
      this.position = this.tagEnd(what)
    }
  }
}
