// The random port on the operating system's generator: ids of clusters, incarnations and topics must differ between machines.
import { randomBytes } from 'node:crypto'
import { Prng, type Random } from '@faultline/base'

export class SystemRandom implements Random {
  readonly #prng = new Prng(randomBytes(6).readUIntBE(0, 6))

  next(): number {
    return this.#prng.next()
  }

  below(bound: number): number {
    return this.#prng.below(bound)
  }

  bytes(count: number): Uint8Array {
    return new Uint8Array(randomBytes(count))
  }
}
