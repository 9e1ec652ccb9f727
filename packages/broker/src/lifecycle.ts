// This broker's registration with the controllers: an incarnation, an epoch, heartbeats, and a stop that hands its leaderships over first.
import type { Clock, EventSink, Timer } from '@faultline/base'
import { type BrokerEndpoint, serverNumber, type StaticConfigs } from '@faultline/controller'
import { errorName, Errors } from '@faultline/protocol'
import type { ControllerChannel } from './controller-channel.ts'

export interface LifecycleOptions {
  readonly brokerId: number
  readonly clusterId: string
  readonly incarnationId: string
  readonly listeners: readonly BrokerEndpoint[]
  readonly rack: string
  readonly directoryId: string
  /** Epoch of the last clean stop, -1 for none. */
  readonly previousBrokerEpoch: number
  readonly statics: StaticConfigs
  readonly clock: Clock
  readonly channel: ControllerChannel
  readonly events: EventSink
  readonly metadataOffset: () => number
}

/** Before registration is tried again after a refusal (the session of the last incarnation has not ended yet). */
const REGISTRATION_RETRY_MS = 100

export class Lifecycle {
  readonly #o: LifecycleOptions
  readonly #heartbeatMs: number
  #epoch = -1
  #fenced = true
  #wantFence = true
  #wantShutDown = false
  #stopped = false
  #timer: Timer | undefined
  #beating = false
  #onUnfenced: () => void = () => {}
  #onShutDown: () => void = () => {}

  constructor(options: LifecycleOptions) {
    this.#o = options
    this.#heartbeatMs = serverNumber(options.statics, 'broker.heartbeat.interval.ms')
  }

  get brokerEpoch(): number {
    return this.#epoch
  }

  get fenced(): boolean {
    return this.#fenced
  }

  /** Resolves with registration; retries until then. */
  async register(): Promise<void> {
    const { brokerId, clusterId, incarnationId, listeners, rack, directoryId, previousBrokerEpoch } = this.#o
    const request = { brokerId, clusterId, incarnationId, listeners, rack, logDir: directoryId, previousBrokerEpoch }
    let told = Errors.NONE as number
    while (!this.#stopped) {
      const reply = await this.#o.channel.ask(
        'registerBroker',
        request,
        serverNumber(this.#o.statics, 'controller.quorum.request.timeout.ms'),
      )
      if (reply?.error === Errors.NONE) {
        this.#epoch = reply.brokerEpoch
        this.#o.events.emit('broker.epoch', { epoch: this.#epoch })
        this.#beat()
        return
      }
      if (reply && reply.error !== told) {
        this.#o.events.emit('broker.registration-refused', { error: errorName(reply.error) })
        told = reply.error
      }
      await new Promise<void>((resolve) => this.#o.clock.after(REGISTRATION_RETRY_MS, resolve))
    }
  }

  /** The metadata is caught up: asks to be unfenced; resolves when the controller has done it. */
  unfence(): Promise<void> {
    this.#wantFence = false
    const unfenced = new Promise<void>((resolve) => (this.#onUnfenced = resolve))
    this.#beatNow()
    return unfenced
  }

  /** Controlled shutdown: resolves when this broker leads nothing any more, or after `timeoutMs`. */
  shutDown(timeoutMs: number): Promise<void> {
    this.#wantShutDown = true
    const done = new Promise<void>((resolve) => (this.#onShutDown = resolve))
    this.#o.clock.after(timeoutMs, () => this.#onShutDown())
    this.#beatNow()
    return done
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #beatNow(): void {
    this.#timer?.cancel()
    this.#beat()
  }

  #beat(): void {
    if (this.#beating || this.#stopped) return
    this.#beating = true
    void this.#askOnce().then((again) => {
      this.#beating = false
      if (!this.#stopped) this.#timer = this.#o.clock.after(again, () => this.#beat())
    })
  }

  /** Milliseconds until the next heartbeat. */
  async #askOnce(): Promise<number> {
    const [wantFence, wantShutDown] = [this.#wantFence, this.#wantShutDown]
    const request = {
      brokerId: this.#o.brokerId,
      brokerEpoch: this.#epoch,
      metadataOffset: this.#o.metadataOffset(),
      wantFence,
      wantShutDown,
    }
    const reply = await this.#o.channel.ask('brokerHeartbeat', request, Math.max(this.#heartbeatMs, 1000))
    if (this.#stopped || !reply) return 0
    if (reply.error === Errors.STALE_BROKER_EPOCH || reply.error === Errors.BROKER_ID_NOT_REGISTERED) {
      // The registration is gone: this process cannot be what the controller knows. Kafka goes on trying, and so do we.
      this.#o.events.emit('broker.stale', { error: errorName(reply.error) })
      return this.#heartbeatMs
    }
    if (reply.error !== Errors.NONE) return this.#heartbeatMs
    if (this.#fenced !== reply.isFenced) this.#o.events.emit('broker.fencing', { fenced: reply.isFenced })
    this.#fenced = reply.isFenced
    if (!reply.isFenced) this.#onUnfenced()
    if (reply.shouldShutDown) this.#onShutDown()
    const changed = wantFence !== this.#wantFence || wantShutDown !== this.#wantShutDown
    const waiting = (this.#fenced && !this.#wantFence) || this.#wantShutDown
    return changed ? 0 : waiting ? Math.min(20, this.#heartbeatMs) : this.#heartbeatMs
  }
}
