// How a broker reaches the active controller: it asks whom it believes to lead, learns from refusals, and goes round when nobody answers.
import { assert, type Clock, PeerError, type PeerTransport } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import { call, type ReplyFrom, type RequestTo } from '@faultline/rpc'
import type { MessageInput } from '@faultline/rpc'

type ControllerCall = 'registerBroker' | 'brokerHeartbeat' | 'alterPartition' | 'allocateProducerIds' | 'forward'

/** Between two tries when a controller says that it does not lead and knows nobody who does. */
const RETRY_MS = 50

export class ControllerChannel {
  readonly #transport: PeerTransport
  readonly #controllers: readonly number[]
  readonly #clock: Clock
  #next = 0
  #leader = -1
  /** A controller has answered as the active one: who follows another one is on the wrong stream. */
  onActive: (controller: number) => void = () => {}

  constructor(transport: PeerTransport, controllers: readonly number[], clock: Clock) {
    assert(controllers.length > 0, 'no controllers')
    this.#transport = transport
    this.#controllers = controllers
    this.#clock = clock
  }

  /** The controller to ask now: the leader as far as known, else each in turn. */
  get target(): number {
    return this.#leader >= 0 ? this.#leader : this.#controllers[this.#next % this.#controllers.length]!
  }

  /** A controller answered that it does not lead; `leader` is whom it believes in, -1 for nobody. */
  learn(leader: number): void {
    this.#leader = this.#controllers.includes(leader) ? leader : -1
    if (this.#leader < 0) this.#next++
  }

  /** Nobody answered there. */
  unreachable(controller: number): void {
    if (this.#leader === controller) this.#leader = -1
    this.#next++
  }

  /** Asks until the active controller answers; undefined when none did within `timeoutMs`. */
  async ask<M extends ControllerCall>(
    name: M,
    request: MessageInput<RequestTo<M>>,
    timeoutMs: number,
  ): Promise<ReplyFrom<M> | undefined> {
    const deadline = this.#clock.mono() + timeoutMs
    for (;;) {
      const left = deadline - this.#clock.mono()
      if (left <= 0) return undefined
      const target = this.target
      const reply = await this.#askOnce(name, target, request, left)
      if (reply && reply.error !== Errors.NOT_CONTROLLER) return reply
      const elsewhere = reply !== undefined && reply.leader >= 0 && reply.leader !== target
      if (!elsewhere) await this.#pause(Math.min(RETRY_MS, left))
    }
  }

  async #askOnce<M extends ControllerCall>(name: M, target: number, request: MessageInput<RequestTo<M>>, leftMs: number) {
    try {
      const reply = await call(this.#transport, target, name, request, leftMs)
      if (reply.error === Errors.NOT_CONTROLLER) this.learn(reply.leader === target ? -1 : reply.leader)
      else this.#answeredAsActive(target)
      return reply
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      this.unreachable(target)
      return undefined
    }
  }

  #answeredAsActive(controller: number): void {
    if (this.#leader === controller) return
    this.#leader = controller
    this.onActive(controller)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve))
  }
}
