// The network between nodes: calls and streams with seeded delays, in order on each stream; cut links and dead nodes answer as TCP would.
import {
  type CallHandler,
  type OutgoingMessage,
  type Peer,
  PeerError,
  type PeerStream,
  type PeerTransport,
  type Plane,
  type Prng,
  type StreamHandler,
} from '@faultline/base'
import type { Scheduler } from '../scheduler.ts'

export interface Latency {
  readonly minMs: number
  readonly maxMs: number
}

/** A connection refused, or reset by a node that died, is noticed this fast. */
const RESET_MS = 1
/** Bytes on a stream that are not yet delivered, before send() says stop. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024

export class PeerNetwork {
  readonly #scheduler: Scheduler
  readonly #random: Prng
  readonly #latency: Latency
  readonly #nodes = new Map<number, SimTransport>()
  /** "from>to/plane" of directions that deliver nothing. */
  readonly #cuts = new Set<string>()

  constructor(scheduler: Scheduler, random: Prng, latency: Latency) {
    this.#scheduler = scheduler
    this.#random = random
    this.#latency = latency
  }

  /** A node's process begins; what an earlier one of that id had is gone. */
  attach(node: number): SimTransport {
    const transport = new SimTransport(this, node)
    this.#nodes.set(node, transport)
    return transport
  }

  /** The node's process ends: peers see their connections reset. */
  detach(node: number): void {
    this.#nodes.get(node)?.die()
    this.#nodes.delete(node)
  }

  cut(from: number, to: number, plane: Plane): void {
    this.#cuts.add(`${from}>${to}/${plane}`)
  }

  /** Heals everything; connections that were cut are reset, as by a proxy. */
  heal(): void {
    const cut = [...this.#cuts]
    this.#cuts.clear()
    for (const transport of this.#nodes.values()) transport.resetCut(cut)
  }

  isCut(from: number, to: number, plane: Plane): boolean {
    return this.#cuts.has(`${from}>${to}/${plane}`)
  }

  node(id: number): SimTransport | undefined {
    return this.#nodes.get(id)
  }

  /** One way. */
  delay(): number {
    return this.#latency.minMs + this.#random.next() * (this.#latency.maxMs - this.#latency.minMs)
  }

  after(ms: number, run: () => void): void {
    this.#scheduler.at(this.#scheduler.now + ms, run)
  }

  get now(): number {
    return this.#scheduler.now
  }
}

export class SimTransport implements PeerTransport {
  readonly id: number
  alive = true
  readonly calls: Record<Plane, Map<string, CallHandler>> = { control: new Map(), replication: new Map() }
  readonly streams: Record<Plane, Map<string, StreamHandler>> = { control: new Map(), replication: new Map() }
  readonly #network: PeerNetwork
  readonly #open = new Set<SimStream>()

  constructor(network: PeerNetwork, id: number) {
    this.#network = network
    this.id = id
  }

  call(peer: Peer, method: string, body: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    const { node, plane } = peer
    return new Promise((resolve, reject) => {
      let open = true
      const settle = (act: () => void) => {
        if (!open || !this.alive) return
        open = false
        act()
      }
      const refuse = (code: 'UNAVAILABLE' | 'DEADLINE', why: string) => settle(() => reject(new PeerError(code, why)))
      this.#network.after(deadlineMs, () => refuse('DEADLINE', `${method} to ${node} took too long`))
      const target = this.#network.node(node)
      if (!target) return this.#network.after(RESET_MS, () => refuse('UNAVAILABLE', `${node} refuses connections`))
      this.#deliver(
        target,
        plane,
        () => {
          const handler = target.calls[plane].get(method)
          if (!handler) return refuse('UNAVAILABLE', `${node} does not serve ${method}`)
          const answer = (act: () => void) => this.#reply(target, plane, () => settle(act))
          handler(body).then(
            (reply) => answer(() => resolve(reply)),
            (error: Error) => answer(() => reject(new PeerError('INTERNAL', error.message))),
          )
        },
        () => refuse('UNAVAILABLE', `${node} reset the connection`),
      )
    })
  }

  #deliver(target: SimTransport, plane: Plane, run: () => void, reset: () => void): void {
    this.#network.after(this.#network.delay(), () => {
      if (this.#network.isCut(this.id, target.id, plane)) return
      if (target.alive) run()
      else reset()
    })
  }

  #reply(target: SimTransport, plane: Plane, run: () => void): void {
    if (!target.alive) return
    this.#network.after(this.#network.delay(), () => {
      if (!this.#network.isCut(target.id, this.id, plane)) run()
    })
  }

  openStream(peer: Peer, method: string): PeerStream {
    const { node, plane } = peer
    const near = new SimStream(this.#network, this, node, plane)
    this.#open.add(near)
    const target = this.#network.node(node)
    const handler = target?.streams[plane].get(method)
    if (!target || !handler) {
      this.#network.after(RESET_MS, () => near.reset(`${node} refuses connections`))
      return near
    }
    const far = new SimStream(this.#network, target, this.id, plane)
    target.#open.add(far)
    near.connect(far)
    far.connect(near)
    handler(far)
    return near
  }

  serveCall(plane: Plane, method: string, handler: CallHandler): void {
    this.calls[plane].set(method, handler)
  }

  serveStream(plane: Plane, method: string, handler: StreamHandler): void {
    this.streams[plane].set(method, handler)
  }

  die(): void {
    this.alive = false
    for (const stream of this.#open) stream.peerDied()
    this.#open.clear()
  }

  resetCut(cut: readonly string[]): void {
    for (const stream of [...this.#open]) if (stream.crosses(cut)) stream.reset('the link was healed')
  }

  forget(stream: SimStream): void {
    this.#open.delete(stream)
  }
}

class SimStream implements PeerStream {
  onMessage: (message: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  onClose: (error: PeerError | undefined) => void = () => {}
  readonly #network: PeerNetwork
  readonly #owner: SimTransport
  readonly #peer: number
  readonly #plane: Plane
  #other: SimStream | undefined
  #closed = false
  #inFlight = 0
  #congested = false
  /** Messages arrive in the order in which they were sent. */
  #lastArrival = 0

  constructor(network: PeerNetwork, owner: SimTransport, peer: number, plane: Plane) {
    this.#network = network
    this.#owner = owner
    this.#peer = peer
    this.#plane = plane
  }

  connect(other: SimStream): void {
    this.#other = other
  }

  send(message: OutgoingMessage): boolean {
    const other = this.#other
    if (this.#closed || !other || !this.#owner.alive) return true
    const bytes = Buffer.alloc(message.byteLength)
    message.copyTo(bytes, 0)
    this.#inFlight += bytes.length
    this.#transmit(() => {
      this.#inFlight -= bytes.length
      if (!other.#closed && other.#owner.alive) other.onMessage(bytes)
      if (this.#congested && this.#inFlight < STREAM_WINDOW_BYTES && !this.#closed) {
        this.#congested = false
        this.onDrain()
      }
    })
    this.#congested = this.#inFlight >= STREAM_WINDOW_BYTES
    return !this.#congested
  }

  close(): void {
    if (this.#closed) return
    const other = this.#other
    this.#transmit(() => other?.reset(undefined))
    this.#end(undefined)
  }

  reset(why: string | undefined): void {
    this.#end(why === undefined ? undefined : new PeerError('UNAVAILABLE', why))
  }

  /** This side's process is gone: the other side learns it as a reset. */
  peerDied(): void {
    this.#closed = true
    const other = this.#other
    this.#network.after(RESET_MS, () => other?.reset(`${this.#owner.id} died`))
  }

  crosses(cut: readonly string[]): boolean {
    return [`${this.#owner.id}>${this.#peer}`, `${this.#peer}>${this.#owner.id}`].some((d) => cut.includes(`${d}/${this.#plane}`))
  }

  #transmit(arrive: () => void): void {
    const due = Math.max(this.#network.now + this.#network.delay(), this.#lastArrival)
    this.#lastArrival = due
    this.#network.after(due - this.#network.now, () => {
      if (!this.#network.isCut(this.#owner.id, this.#peer, this.#plane)) arrive()
    })
  }

  #end(error: PeerError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#owner.forget(this)
    if (this.#owner.alive) this.onClose(error)
  }
}
