// Writes Kafka's primitive types into chunks. Data of PASS_THROUGH bytes and more becomes a chunk of its own, as it is; what lies
// between is written into buffers of ours. `what` names the field, for the text of an assertion: a value that does not fit its
// type is a mistake of ours.
import { Buffer } from 'node:buffer'
import { assert } from '@faultline/base'
import { encodeUuid, UUID_BYTES } from '../uuid.ts'
import { MAX_STRING_BYTES } from './reader.ts'

/** From this size on, a copy costs more than a chunk. */
export const PASS_THROUGH = 1024
const FIRST_BUFFER = 512

export class Writer {
  #buffer = Buffer.allocUnsafe(FIRST_BUFFER)
  /** Where the chunk being written began: what lies before was handed out. */
  #start = 0
  #position = 0
  #openTags = 0
  readonly #chunks: Uint8Array[] = []
  readonly #context: string

  constructor(context: string) {
    this.#context = context
  }

  fail(what: string, happened: string): never {
    assert(false, `${this.#context}: ${what}: ${happened}`)
  }

  finish(): Uint8Array[] {
    this.#flush()
    return this.#chunks
  }

  #flush(): void {
    if (this.#position > this.#start) this.#chunks.push(this.#buffer.subarray(this.#start, this.#position))
    this.#start = this.#position
  }

  /** Makes room for `count` bytes and returns where they go. */
  #claim(count: number): number {
    if (this.#position + count > this.#buffer.length) this.#grow(count)
    const p = this.#position
    this.#position = p + count
    return p
  }

  #grow(count: number): void {
    const used = this.#position - this.#start
    const larger = Buffer.allocUnsafe(Math.max(FIRST_BUFFER, (used + count) * 2))
    this.#buffer.copy(larger, 0, this.#start, this.#position)
    this.#buffer = larger
    this.#start = 0
    this.#position = used
  }

  bool(value: boolean, what: string): void {
    if (typeof value !== 'boolean') this.fail(what, `not a boolean: ${value}`)
    const p = this.#claim(1)
    this.#buffer[p] = value ? 1 : 0
  }

  int8(value: number, what: string): void {
    if ((value << 24) >> 24 !== value) this.fail(what, `not an int8: ${value}`)
    const p = this.#claim(1)
    this.#buffer[p] = value
  }

  int16(value: number, what: string): void {
    if ((value << 16) >> 16 !== value) this.fail(what, `not an int16: ${value}`)
    this.#put16(value)
  }

  uint16(value: number, what: string): void {
    if ((value & 0xffff) !== value) this.fail(what, `not a uint16: ${value}`)
    this.#put16(value)
  }

  int32(value: number, what: string): void {
    if ((value | 0) !== value) this.fail(what, `not an int32: ${value}`)
    this.#put32(value)
  }

  uint32(value: number, what: string): void {
    if (value >>> 0 !== value) this.fail(what, `not a uint32: ${value}`)
    this.#put32(value)
  }

  int64(value: number, what: string): void {
    if (!Number.isSafeInteger(value)) this.fail(what, `not a safe integer: ${value}`)
    this.#put32(Math.floor(value / 0x1_0000_0000))
    this.#put32(value)
  }

  float64(value: number, what: string): void {
    if (typeof value !== 'number') this.fail(what, `not a number: ${value}`)
    const p = this.#claim(8)
    this.#buffer.writeDoubleBE(value, p)
  }

  #put16(value: number): void {
    const p = this.#claim(2)
    const buffer = this.#buffer
    buffer[p] = value >>> 8
    buffer[p + 1] = value
  }

  /** The low 32 bits. */
  #put32(value: number): void {
    const p = this.#claim(4)
    const buffer = this.#buffer
    buffer[p] = value >>> 24
    buffer[p + 1] = value >>> 16
    buffer[p + 2] = value >>> 8
    buffer[p + 3] = value
  }

  uuid(value: string, what: string): void {
    if (typeof value !== 'string' || value.length !== 22) this.fail(what, `not a uuid: ${value}`)
    const p = this.#claim(UUID_BYTES)
    this.#buffer.set(encodeUuid(value), p)
  }

  uvarint(value: number): void {
    while (value > 0x7f) {
      const p = this.#claim(1)
      this.#buffer[p] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    const p = this.#claim(1)
    this.#buffer[p] = value
  }

  #textLength(value: string, what: string): number {
    if (typeof value !== 'string') this.fail(what, `not a string: ${value}`)
    const length = Buffer.byteLength(value)
    if (length > MAX_STRING_BYTES) this.fail(what, `a string of ${length} bytes`)
    return length
  }

  #text(value: string, length: number): void {
    const p = this.#claim(length)
    if (length > 0) this.#buffer.write(value, p, length)
  }

  string(value: string, what: string): void {
    const length = this.#textLength(value, what)
    this.#put16(length)
    this.#text(value, length)
  }

  nullableString(value: string | null, what: string): void {
    if (value === null) this.#put16(-1)
    else this.string(value, what)
  }

  compactString(value: string, what: string): void {
    const length = this.#textLength(value, what)
    this.uvarint(length + 1)
    this.#text(value, length)
  }

  compactNullableString(value: string | null, what: string): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value, what)
  }

  /** One piece or several, joined by lying next to each other on the wire. */
  #pieces(value: Uint8Array | readonly Uint8Array[]): void {
    if (value instanceof Uint8Array) this.#piece(value)
    else for (const piece of value) this.#piece(piece)
  }

  #piece(piece: Uint8Array): void {
    if (piece.length >= PASS_THROUGH && this.#openTags === 0) {
      this.#flush()
      this.#chunks.push(piece)
    } else {
      const p = this.#claim(piece.length)
      this.#buffer.set(piece, p)
    }
  }

  #dataLength(value: Uint8Array | readonly Uint8Array[], what: string): number {
    if (value instanceof Uint8Array) return value.length
    if (!Array.isArray(value)) this.fail(what, `not bytes: ${String(value)}`)
    return value.reduce((sum, piece) => sum + piece.length, 0)
  }

  data(value: Uint8Array | readonly Uint8Array[], what: string): void {
    this.#put32(this.#dataLength(value, what))
    this.#pieces(value)
  }

  nullableData(value: Uint8Array | readonly Uint8Array[] | null, what: string): void {
    if (value === null) this.#put32(-1)
    else this.data(value, what)
  }

  compactData(value: Uint8Array | readonly Uint8Array[], what: string): void {
    this.uvarint(this.#dataLength(value, what) + 1)
    this.#pieces(value)
  }

  compactNullableData(value: Uint8Array | readonly Uint8Array[] | null, what: string): void {
    if (value === null) this.uvarint(0)
    else this.compactData(value, what)
  }

  count(value: readonly unknown[], what: string): void {
    if (!Array.isArray(value)) this.fail(what, `not an array: ${String(value)}`)
    this.#put32(value.length)
  }

  compactCount(value: readonly unknown[], what: string): void {
    if (!Array.isArray(value)) this.fail(what, `not an array: ${String(value)}`)
    this.uvarint(value.length + 1)
  }

  nullCount(): void {
    this.#put32(-1)
  }

  compactNullCount(): void {
    this.uvarint(0)
  }

  /** The marker before a nullable struct. */
  present(value: boolean): void {
    const p = this.#claim(1)
    this.#buffer[p] = value ? 1 : -1
  }

  taggedPresent(value: boolean): void {
    this.uvarint(value ? 1 : 0)
  }

  /** Begins a tagged field and returns its mark for closeTag, which puts its size before it. */
  openTag(tag: number): number {
    this.uvarint(tag)
    this.#openTags++
    const p = this.#claim(1)
    return p - this.#start
  }

  closeTag(mark: number): void {
    const size = this.#position - this.#start - mark - 1
    const more = size < 0x80 ? 0 : size < 0x4000 ? 1 : size < 0x20_0000 ? 2 : 3
    this.#claim(more)
    const at = this.#start + mark
    if (more > 0) this.#buffer.copyWithin(at + 1 + more, at + 1, at + 1 + size)
    for (let i = 0, left = size; i <= more; i++, left >>>= 7) this.#buffer[at + i] = (left & 0x7f) | (i < more ? 0x80 : 0)
    this.#openTags--
  }
}
