// Encodes a message in two passes, sizes and then bytes, straight into the place where the transport wants it. protobufjs' own writer grows
// a buffer and moves what lies in it whenever a nested message ends: too many copies for messages that are mostly records.
import { assert, type OutgoingMessage } from '@faultline/base'
import type protobuf from 'protobufjs/light.js'

type Kind = 'number' | 'bool' | 'string' | 'bytes' | 'message'
type Value = Readonly<Record<string, unknown>>

/** What a field needs to be written: its tag, and the layout of what is inside it. */
interface FieldLayout {
  readonly name: string
  readonly tag: number
  readonly kind: Kind
  readonly repeated: boolean
  readonly inner: MessageLayout | undefined
}
export type MessageLayout = readonly FieldLayout[]

const VARINT = 0
const LENGTH_DELIMITED = 2
const KINDS: Readonly<Record<string, Kind>> = {
  int32: 'number',
  uint32: 'number',
  int64: 'number',
  bool: 'bool',
  string: 'string',
  bytes: 'bytes',
}

/** Throws for field types that no .proto of ours uses. */
export function layoutOf(type: protobuf.Type): MessageLayout {
  return type.fieldsArray.map((field) => {
    const inner = field.resolvedType as protobuf.Type | null
    const kind = inner ? 'message' : KINDS[field.type]
    assert(kind, `${type.name}.${field.name}: no encoding for ${field.type}`)
    const wire = kind === 'number' || kind === 'bool' ? VARINT : LENGTH_DELIMITED
    const tag = field.id * 8 + wire
    assert(tag < 128, `${type.name}.${field.name}: its tag takes more than a byte`)
    return { name: field.name, tag, kind, repeated: field.repeated, inner: inner ? layoutOf(inner) : undefined }
  })
}

export class PreparedMessage implements OutgoingMessage {
  readonly byteLength: number
  readonly #layout: MessageLayout
  readonly #value: Value
  /** Of nested messages and strings, in the order in which they are written. */
  readonly #sizes: number[] = []
  #next = 0

  constructor(layout: MessageLayout, value: Value) {
    this.#layout = layout
    this.#value = value
    this.byteLength = this.#sizeOf(layout, value)
  }

  copyTo(target: Uint8Array, at: number): void {
    this.#next = 0
    const end = this.#write(this.#layout, this.#value, target as Buffer, at)
    assert(end === at + this.byteLength, `wrote ${end - at} of ${this.byteLength} bytes`)
  }

  #sizeOf(layout: MessageLayout, value: Value): number {
    let size = 0
    for (const field of layout) {
      const given = value[field.name]
      if (isDefault(given)) continue
      if (!field.repeated) size += 1 + this.#sizeOfOne(field, given)
      else for (const item of given as readonly unknown[]) size += 1 + this.#sizeOfOne(field, item)
    }
    return size
  }

  #sizeOfOne(field: FieldLayout, item: unknown): number {
    switch (field.kind) {
      case 'number':
        return varintSize(item as number)
      case 'bool':
        return 1
      case 'bytes':
        return delimited((item as Uint8Array).length)
      case 'string':
        return delimited(this.#remember(Buffer.byteLength(item as string)))
      case 'message': {
        const index = this.#sizes.push(0) - 1
        const size = this.#sizeOf(field.inner!, item as Value)
        this.#sizes[index] = size
        return delimited(size)
      }
    }
  }

  #remember(size: number): number {
    this.#sizes.push(size)
    return size
  }

  #write(layout: MessageLayout, value: Value, target: Buffer, at: number): number {
    for (const field of layout) {
      const given = value[field.name]
      if (isDefault(given)) continue
      if (!field.repeated) at = this.#writeOne(field, given, target, at)
      else for (const item of given as readonly unknown[]) at = this.#writeOne(field, item, target, at)
    }
    return at
  }

  #writeOne(field: FieldLayout, item: unknown, target: Buffer, at: number): number {
    target[at++] = field.tag
    switch (field.kind) {
      case 'number':
        return writeVarint(item as number, target, at)
      case 'bool':
        target[at] = item ? 1 : 0
        return at + 1
      case 'bytes': {
        const bytes = item as Uint8Array
        at = writeVarint(bytes.length, target, at)
        target.set(bytes, at)
        return at + bytes.length
      }
      case 'string': {
        const size = this.#sizes[this.#next++]!
        at = writeVarint(size, target, at)
        return at + target.write(item as string, at, size, 'utf8')
      }
      case 'message':
        at = writeVarint(this.#sizes[this.#next++]!, target, at)
        return this.#write(field.inner!, item as Value, target, at)
    }
  }
}

/** proto3 leaves a default out; a list writes every one of its elements, and none when it is empty. */
function isDefault(value: unknown): boolean {
  return value === undefined || value === null || value === 0 || value === '' || value === false
}

function delimited(size: number): number {
  return varintSize(size) + size
}

/** A negative number is written as 64 bits. */
function varintSize(value: number): number {
  if (value < 0) return 10
  let size = 1
  while (value >= 128) {
    value = Math.floor(value / 128)
    size++
  }
  return size
}

function writeVarint(value: number, target: Uint8Array, at: number): number {
  assert(Number.isSafeInteger(value), `not an integer: ${value}`)
  if (value < 0) {
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest >= 128n; rest >>= 7n) target[at++] = Number(rest & 127n) | 128
    target[at++] = Number(rest)
    return at
  }
  while (value >= 128) {
    target[at++] = (value % 128) | 128
    value = Math.floor(value / 128)
  }
  target[at++] = value
  return at
}
