// One file of the virtual disk: what readers see, and what would be left of it if the power went now.
import type { Random } from '@faultline/base'

type PendingChange =
  | { readonly at: number; readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly at: number; readonly kind: 'truncate'; readonly size: number }

/** A disk writes sectors, so a write is torn at a multiple of this. */
const SECTOR = 512

export class VirtualFile {
  readonly #visible = new Content()
  readonly #durable = new Content()
  /** In order, since the last sync. */
  #pending: PendingChange[] = []

  get size(): number {
    return this.#visible.size
  }

  get hasUnsyncedChanges(): boolean {
    return this.#pending.length > 0
  }

  read(into: Uint8Array, position: number): number {
    return this.#visible.read(into, position)
  }

  write(bytes: Uint8Array, position: number, now: number): void {
    if (bytes.length === 0) return
    const copy = bytes.slice()
    this.#visible.write(copy, position)
    this.#pending.push({ at: now, kind: 'write', position, bytes: copy })
  }

  truncate(size: number, now: number): void {
    this.#visible.truncate(size)
    this.#pending.push({ at: now, kind: 'truncate', size })
  }

  sync(): void {
    for (const change of this.#pending) apply(this.#durable, change)
    this.#pending = []
  }

  /** The operating system writes back by itself what has waited since `before`. */
  writeBack(before: number): void {
    const young = this.#pending.findIndex((change) => change.at >= before)
    const old = young === -1 ? this.#pending.length : young
    for (const change of this.#pending.splice(0, old)) apply(this.#durable, change)
  }

  /** Each unsynced change survives with `probability`, or a part of it does; a gap before one that did reads as zeros. */
  losePower(random: Random, probability: number): void {
    for (const change of this.#pending) {
      const whole = random.next() < probability
      const part = random.next() < probability
      if (whole) apply(this.#durable, change)
      else if (part && change.kind === 'write') apply(this.#durable, torn(change, random))
    }
    this.#pending = []
    this.#visible.copyFrom(this.#durable)
  }

  /** Flips one bit of what is stored, as a decaying disk does; readers and the durable state see it alike. */
  flipBit(position: number, bit: number): void {
    this.#visible.flipBit(position, bit)
    this.#durable.flipBit(position, bit)
  }
}

function torn(change: PendingChange & { kind: 'write' }, random: Random): PendingChange {
  const sectors = Math.ceil(change.bytes.length / SECTOR)
  return { ...change, bytes: change.bytes.subarray(0, random.below(sectors) * SECTOR) }
}

function apply(content: Content, change: PendingChange): void {
  if (change.kind === 'write') content.write(change.bytes, change.position)
  else content.truncate(change.size)
}

/** Bytes that grow. */
class Content {
  #bytes = new Uint8Array(0)
  size = 0

  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.size - position))
    into.set(this.#bytes.subarray(position, position + count))
    return count
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    this.#reserve(position + bytes.length)
    this.#bytes.set(bytes, position)
    this.size = Math.max(this.size, position + bytes.length)
  }

  truncate(size: number): void {
    this.#reserve(size)
    if (size < this.size) this.#bytes.fill(0, size, this.size)
    this.size = size
  }

  copyFrom(other: Content): void {
    this.#bytes = other.#bytes.slice(0, other.size)
    this.size = other.size
  }

  flipBit(position: number, bit: number): void {
    if (position < this.size) this.#bytes[position]! ^= 1 << bit
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2, 256))
    larger.set(this.#bytes.subarray(0, this.size))
    this.#bytes = larger
  }
}
