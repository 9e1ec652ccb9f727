// Frames on a connection (an int32 length, then header and body) and the headers of requests and responses.
import { Buffer } from 'node:buffer'
import { assert } from '@faultline/base'
import { MalformedError } from './malformed.ts'
import { apiByKey } from './messages/index.ts'
import { Reader } from './schema/reader.ts'
import { PASS_THROUGH, Writer } from './schema/writer.ts'

const LENGTH_BYTES = 4
const API_VERSIONS = 18
/** A frame that comes in pieces begins with this much memory: what a peer merely announces costs nothing. */
const FIRST_BUFFER = 64 * 1024

/** Cuts a byte stream into frames. After it threw, the connection is beyond use. */
export class FrameParser {
  readonly #limit: number
  /** The frame that has begun and is not complete, its length included; grows as bytes come. */
  #partial: Buffer = Buffer.alloc(0)
  #filled = 0

  /** `limit` is the largest length that a frame may have (socket.request.max.bytes for a broker). */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes held for a frame that is not complete. */
  get buffered(): number {
    return this.#filled
  }

  /**
   * Hands out the frames that this chunk completes, without their lengths. A frame that lies in one chunk is a view of it, so the
   * caller must not reuse a chunk. Throws MalformedError for a length below 0 or above the limit, after the frames before it.
   */
  push(chunk: Uint8Array, take: (frame: Uint8Array) => void): void {
    let position = 0
    while (position < chunk.length) {
      position = this.#filled > 0 ? this.#continue(chunk, position, take) : this.#begin(chunk, position, take)
    }
  }

  /** At the start of a frame: hands it out as a view when it is all there, else keeps what there is. */
  #begin(chunk: Uint8Array, position: number, take: (frame: Uint8Array) => void): number {
    const left = chunk.length - position
    if (left >= LENGTH_BYTES) {
      const end = position + LENGTH_BYTES + this.#length(chunk, position)
      if (end <= chunk.length) {
        take(chunk.subarray(position + LENGTH_BYTES, end))
        return end
      }
    }
    return this.#continue(chunk, position, take)
  }

  /** Adds to the frame that has begun: its length first, then what belongs to it. */
  #continue(chunk: Uint8Array, position: number, take: (frame: Uint8Array) => void): number {
    if (this.#filled < LENGTH_BYTES) {
      position = this.#take(chunk, position, LENGTH_BYTES)
      if (this.#filled < LENGTH_BYTES) return position
    }
    const size = LENGTH_BYTES + this.#length(this.#partial, 0)
    position = this.#take(chunk, position, size)
    if (this.#filled === size) {
      const frame = this.#partial.subarray(LENGTH_BYTES, size)
      this.#partial = Buffer.alloc(0)
      this.#filled = 0
      take(frame)
    }
    return position
  }

  /** Copies from the chunk until the partial frame has `size` bytes or the chunk ends. */
  #take(chunk: Uint8Array, position: number, size: number): number {
    const count = Math.min(size - this.#filled, chunk.length - position)
    const needed = this.#filled + count
    if (needed > this.#partial.length) {
      // Growing fourfold copies every byte about once more, however small the chunks are.
      const larger = Buffer.allocUnsafeSlow(
        Math.max(needed, Math.min(size, this.#partial.length * 4), Math.min(size, FIRST_BUFFER)),
      )
      this.#partial.copy(larger, 0, 0, this.#filled)
      this.#partial = larger
    }
    this.#partial.set(chunk.subarray(position, position + count), this.#filled)
    this.#filled = needed
    return position + count
  }

  #length(bytes: Uint8Array, position: number): number {
    const length = (bytes[position]! << 24) | (bytes[position + 1]! << 16) | (bytes[position + 2]! << 8) | bytes[position + 3]!
    if (length < 0 || length > this.#limit) throw new MalformedError(`a frame of ${length} bytes, the limit is ${this.#limit}`)
    return length
  }
}

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

export interface DecodedRequestHeader extends RequestHeader {
  readonly bodyOffset: number
}

/**
 * Version 2 of the header, which ends with tagged fields, goes with flexible versions of an API; the client id keeps its int16
 * length there (KIP-482). The header of an unknown API is read as version 1: enough to say what is refused.
 */
export function decodeRequestHeader(frame: Uint8Array): DecodedRequestHeader {
  const reader = new Reader(frame, 0, 'request header')
  const apiKey = reader.int16('apiKey')
  const apiVersion = reader.int16('apiVersion')
  const correlationId = reader.int32('correlationId')
  const clientId = reader.nullableString('clientId')
  if (isFlexible(apiKey, apiVersion)) reader.skipTags('tags')
  return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position }
}

export function encodeRequestHeader({ apiKey, apiVersion, correlationId, clientId }: RequestHeader): Uint8Array[] {
  const writer = new Writer('request header')
  writer.int16(apiKey, 'apiKey')
  writer.int16(apiVersion, 'apiVersion')
  writer.int32(correlationId, 'correlationId')
  writer.nullableString(clientId, 'clientId')
  if (isFlexible(apiKey, apiVersion)) writer.uvarint(0)
  return writer.finish()
}

/** Version 1 of the header, with tagged fields, goes with flexible versions, but never with ApiVersions (KIP-511). */
export function encodeResponseHeader(apiKey: number, apiVersion: number, correlationId: number): Uint8Array[] {
  const writer = new Writer('response header')
  writer.int32(correlationId, 'correlationId')
  if (apiKey !== API_VERSIONS && isFlexible(apiKey, apiVersion)) writer.uvarint(0)
  return writer.finish()
}

export interface DecodedResponseHeader {
  readonly correlationId: number
  readonly bodyOffset: number
}

/** The correlation id alone, which says what was asked and so how the rest is to be read. */
export function decodeCorrelationId(frame: Uint8Array): number {
  return new Reader(frame, 0, 'response header').int32('correlationId')
}

export function decodeResponseHeader(frame: Uint8Array, apiKey: number, apiVersion: number): DecodedResponseHeader {
  const reader = new Reader(frame, 0, 'response header')
  const correlationId = reader.int32('correlationId')
  if (apiKey !== API_VERSIONS && isFlexible(apiKey, apiVersion)) reader.skipTags('tags')
  return { correlationId, bodyOffset: reader.position }
}

function isFlexible(apiKey: number, apiVersion: number): boolean {
  return apiByKey(apiKey)?.isFlexible(apiVersion) ?? false
}

/** Length, header and body as chunks to write; small neighbours at the front become one chunk. */
export function encodeFrame(header: readonly Uint8Array[], body: readonly Uint8Array[]): Uint8Array[] {
  const chunks = [...header, ...body]
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  assert(size <= 0x7fffffff, `a frame of ${size} bytes`)
  let merged = 0
  let front = LENGTH_BYTES
  while (merged < chunks.length && chunks[merged]!.length < PASS_THROUGH) front += chunks[merged++]!.length
  const first = Buffer.allocUnsafe(front)
  first.writeInt32BE(size, 0)
  let position = LENGTH_BYTES
  for (const chunk of chunks.slice(0, merged)) {
    first.set(chunk, position)
    position += chunk.length
  }
  return [first, ...chunks.slice(merged)]
}
