// The seeded generator of everything that is random below the shells (sfc32: small, fast, passes PractRand).
import type { Random } from './ports.ts'
import { assert } from './assert.ts'

export class Prng implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), `seed must be an integer, got ${seed}`)
    this.#a = seed | 0
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0
    this.#c = 0x9e3779b9
    for (let i = 0; i < 16; i++) this.u32()
  }

  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + t) | 0
    return t >>> 0
  }

  next(): number {
    return this.u32() / 0x1_0000_0000
  }

  below(bound: number): number {
    assert(bound > 0 && bound <= 0x1_0000_0000, `below(${bound})`)
    return Math.floor(this.next() * bound)
  }

  bytes(count: number): Uint8Array {
    const out = new Uint8Array(count)
    for (let i = 0; i < count; i++) out[i] = this.u32()
    return out
  }

  /** An independent stream: what one actor draws does not shift what another draws. */
  fork(label: string): Prng {
    let h = 0x811c9dc5
    for (let i = 0; i < label.length; i++) h = Math.imul(h ^ label.charCodeAt(i), 0x01000193)
    return new Prng((h >>> 0) + (this.u32() % 0x10_0000) * 0x1_0000_0000)
  }
}
