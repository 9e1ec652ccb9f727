// Connections between clients and brokers: byte streams with seeded delays, cut into pieces where TCP might cut them.
import type { ByteStream, ClientDialer, Prng } from '@faultline/base'
import type { Scheduler } from '../scheduler.ts'
import type { Latency } from './peer-network.ts'

const RESET_MS = 1
const WINDOW_BYTES = 1024 * 1024

export class ClientNetwork implements ClientDialer {
  readonly #scheduler: Scheduler
  readonly #random: Prng
  readonly #latency: Latency
  readonly #listeners = new Map<number, (stream: ByteStream) => void>()
  readonly #streams = new Map<number, Set<Pipe>>()
  #dialled = 0

  constructor(scheduler: Scheduler, random: Prng, latency: Latency) {
    this.#scheduler = scheduler
    this.#random = random
    this.#latency = latency
  }

  listen(port: number, accept: (stream: ByteStream) => void): void {
    this.#listeners.set(port, accept)
    this.#streams.set(port, new Set())
  }

  /** The process behind the port is gone. */
  close(port: number): void {
    this.#listeners.delete(port)
    for (const pipe of this.#streams.get(port) ?? []) pipe.abandon()
    this.#streams.delete(port)
  }

  dial(_host: string, port: number): ByteStream {
    const near = new Pipe(this, `client:${++this.#dialled}`)
    const accept = this.#listeners.get(port)
    if (!accept) {
      this.after(RESET_MS, () => near.reset())
      return near
    }
    const far = new Pipe(this, `client:${this.#dialled}`)
    near.connect(far)
    far.connect(near)
    this.#streams.get(port)!.add(far)
    accept(far)
    return near
  }

  delay(): number {
    return this.#latency.minMs + this.#random.next() * (this.#latency.maxMs - this.#latency.minMs)
  }

  /** Where a chunk of this size is cut in two, 0 for nowhere. */
  cutAt(size: number): number {
    return size > 1 && this.#random.below(8) === 0 ? 1 + this.#random.below(size - 1) : 0
  }

  after(ms: number, run: () => void): void {
    this.#scheduler.at(this.#scheduler.now + ms, run)
  }

  get now(): number {
    return this.#scheduler.now
  }
}

/** Arrived at a reader that does not read. */
interface Held {
  readonly chunk: Uint8Array
  taken(): void
}

class Pipe implements ByteStream {
  readonly remote: string
  onData: (chunk: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  onClose: () => void = () => {}
  readonly #network: ClientNetwork
  #other: Pipe | undefined
  #closed = false
  #paused = false
  readonly #held: Held[] = []
  #inFlight = 0
  #congested = false
  #lastArrival = 0

  constructor(network: ClientNetwork, remote: string) {
    this.#network = network
    this.remote = remote
  }

  connect(other: Pipe): void {
    this.#other = other
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#closed || !this.#other) return true
    const bytes = Buffer.concat(chunks)
    const cut = this.#network.cutAt(bytes.length)
    for (const part of cut > 0 ? [bytes.subarray(0, cut), bytes.subarray(cut)] : [bytes]) this.#transmit(part)
    this.#congested = this.#inFlight >= WINDOW_BYTES
    return !this.#congested
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    for (const { chunk, taken } of this.#held.splice(0)) this.#take(chunk, taken)
  }

  end(): void {
    this.destroy()
  }

  destroy(): void {
    const other = this.#other
    this.#at(() => other?.reset())
    this.reset()
  }

  reset(): void {
    if (this.#closed) return
    this.#closed = true
    this.onClose()
  }

  /** The process on this side is gone without a word. */
  abandon(): void {
    this.#closed = true
    const other = this.#other
    this.#network.after(RESET_MS, () => other?.reset())
  }

  #transmit(part: Uint8Array): void {
    const other = this.#other!
    this.#inFlight += part.length
    this.#at(() => other.#take(part, () => this.#taken(part.length)))
  }

  #taken(bytes: number): void {
    this.#inFlight -= bytes
    if (!this.#congested || this.#inFlight >= WINDOW_BYTES || this.#closed) return
    this.#congested = false
    this.onDrain()
  }

  #at(arrive: () => void): void {
    const due = Math.max(this.#network.now + this.#network.delay(), this.#lastArrival)
    this.#lastArrival = due
    this.#network.after(due - this.#network.now, arrive)
  }

  /** `taken`: the reader has it, and the window opens by that much. */
  #take(chunk: Uint8Array, taken: () => void): void {
    if (this.#closed) return
    if (this.#paused) {
      this.#held.push({ chunk, taken })
      return
    }
    this.onData(chunk)
    taken()
  }
}
