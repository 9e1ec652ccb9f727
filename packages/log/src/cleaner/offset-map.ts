// The last offset of each key in the part of a log that is being cleaned. Bounded: when it is full, the rest is left for the next time.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

/** Longer keys are held by their hash, as Kafka holds all of them. */
const MAX_KEY_BYTES = 32
/** What an entry costs beside its key, roughly. */
const ENTRY_BYTES = 80

export class OffsetMap {
  readonly #limitBytes: number
  readonly #offsets = new Map<string, number>()
  #bytes = 0
  /** Keys up to here are in the map; records after it were not looked at. */
  latestOffset = -1

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get size(): number {
    return this.#offsets.size
  }

  get isFull(): boolean {
    return this.#bytes >= this.#limitBytes
  }

  put(key: Uint8Array, offset: number): void {
    const name = nameOf(key)
    if (!this.#offsets.has(name)) this.#bytes += name.length + ENTRY_BYTES
    this.#offsets.set(name, offset)
  }

  /** −1 for a key that does not occur. */
  get(key: Uint8Array): number {
    return this.#offsets.get(nameOf(key)) ?? -1
  }
}

function nameOf(key: Uint8Array): string {
  if (key.length <= MAX_KEY_BYTES) return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
  return `#${createHash('md5').update(key).digest('hex')}`
}
