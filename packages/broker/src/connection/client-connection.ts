// One client connection: frames in, responses out, in order. Kafka handles one request of a connection at a time; so do we, but that a
// Produce which has been appended and only waits for its followers lets the next Produce in (their order in the log is the same).
import type { ByteStream, Timer } from '@faultline/base'
import {
  type Api,
  apiVersions,
  type DecodedRequestHeader,
  decodeRequestHeader,
  encodeFrame,
  encodeResponseHeader,
  Errors,
  FrameParser,
  MalformedError,
  produce,
} from '@faultline/protocol'
import { type ApiHandler, CLOSE_CONNECTION, NO_RESPONSE } from '../api/handler.ts'
import type { Broker } from '../broker.ts'
import type { EdgeRequest } from '../edge/edge-record.ts'
import { faultyAnswer } from '../fault/faulty-answer.ts'

export interface ConnectionLimits {
  readonly maxFrameBytes: number
  readonly maxIdleMs: number
}

/** Requests that have arrived and wait for their turn, before reading stops. */
const MAX_QUEUED = 8
/** Produce requests that wait for followers at the same time. */
const MAX_PIPELINED = 16

interface Pending {
  readonly header: DecodedRequestHeader
  readonly handler: ApiHandler
  readonly body: Uint8Array
}

/** What a frame turned out to be. Each has its turn: what came before it is answered first, as Kafka does. */
type Turn = Pending | { readonly answer: Uint8Array[] } | { readonly refusal: string }

/** A response's place in the order; `chunks` once it is there. */
interface Slot {
  /** What follows may start: set by a Produce when it has been appended, and only waits for followers. */
  pipelines: boolean
  chunks: Uint8Array[] | undefined
  /** Ends the waiting for it. */
  abandon: (() => void) | undefined
  edge: EdgeRequest | undefined
}

export class ClientConnection {
  readonly #broker: Broker
  readonly #stream: ByteStream
  readonly #listener: string
  readonly #limits: ConnectionLimits
  readonly #parser: FrameParser
  readonly #queue: Turn[] = []
  readonly #slots: Slot[] = []
  #closed = false
  /** A frame was refused: what follows is not looked at. */
  #refused = false
  #pumping = false
  #paused = false
  #congested = false
  #clientId: string | null | undefined
  #idleTimer: Timer | undefined
  #lastActive: number

  constructor(broker: Broker, stream: ByteStream, listener: string, limits: ConnectionLimits) {
    this.#broker = broker
    this.#stream = stream
    this.#listener = listener
    this.#limits = limits
    this.#parser = new FrameParser(limits.maxFrameBytes)
    this.#lastActive = broker.clock.mono()
    stream.onData = (chunk) => this.#receive(chunk)
    stream.onDrain = () => {
      this.#congested = false
      this.#lastActive = this.#broker.clock.mono()
      this.#pump()
      this.#updateFlow()
    }
    stream.onClose = () => this.#ended()
    this.#watchIdle()
  }

  /** As its first request says; undefined before that. */
  get clientId(): string | null | undefined {
    return this.#clientId
  }

  /** Lets what was answered go out, then closes. */
  end(): void {
    if (!this.#closed) this.#stream.end()
  }

  destroy(): void {
    if (!this.#closed) this.#stream.destroy()
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closed || this.#refused) return
    this.#lastActive = this.#broker.clock.mono()
    try {
      this.#parser.push(chunk, (frame) => this.#accept(frame))
    } catch (error) {
      this.#doom(error)
    }
    this.#pump()
    this.#updateFlow()
  }

  #accept(frame: Uint8Array): void {
    if (this.#refused) return
    const header = decodeRequestHeader(frame)
    if (this.#clientId === undefined) this.#introduce(header.clientId)
    const turn = this.#turnOf(header, frame)
    if ('refusal' in turn) this.#refused = true
    this.#queue.push(turn)
  }

  #introduce(clientId: string | null): void {
    this.#clientId = clientId
    this.#broker.clientsChanged()
  }

  #turnOf(header: DecodedRequestHeader, frame: Uint8Array): Turn {
    const handler = this.#broker.handlers.get(header.apiKey)
    if (!handler) return { refusal: `api ${header.apiKey} is not served` }
    if (supports(handler.api, header.apiVersion)) return { header, handler, body: frame.subarray(header.bodyOffset) }
    if (header.apiKey === apiVersions.key) return { answer: unsupportedVersion(header, handler.api) }
    return { refusal: `${handler.api.name} version ${header.apiVersion} is not served` }
  }

  /** Nothing that follows these bytes can be understood: the connection ends when what came before them is answered. */
  #doom(error: unknown): void {
    if (!(error instanceof MalformedError)) return this.#broker.fail(error as Error)
    this.#refused = true
    this.#queue.push({ refusal: error.message })
  }

  /** Starts what may start. An answer that is there at once comes back here, and finds that it is being gone on with already. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#queue.length > 0 && this.#mayStart(this.#queue[0]!)) this.#start(this.#queue.shift()!)
    this.#pumping = false
  }

  /** A peer that does not read what it is answered waits with its next request. */
  #mayStart(turn: Turn): boolean {
    if (this.#congested) return false
    if (this.#slots.length === 0) return true
    const pipelines = isProduce(turn) && this.#slots.every((slot) => slot.pipelines)
    return pipelines && this.#slots.length < MAX_PIPELINED
  }

  #start(turn: Turn): void {
    if ('refusal' in turn) return this.#drop(turn.refusal)
    const slot: Slot = { pipelines: false, chunks: undefined, abandon: undefined, edge: undefined }
    this.#slots.push(slot)
    if ('handler' in turn) return this.#handle(turn, slot)
    slot.chunks = turn.answer
    this.#flush()
  }

  #handle({ header, handler, body }: Pending, slot: Slot): void {
    const { clock } = this.#broker
    const began = clock.mono()
    const done = (answer: Uint8Array[] | typeof NO_RESPONSE | typeof CLOSE_CONNECTION) => {
      const now = clock.mono()
      this.#broker.requests.of(handler.api).answered(header.apiVersion, now - began, now)
      if (answer === CLOSE_CONNECTION) return this.#drop(`${handler.api.name} cannot be answered`)
      slot.chunks =
        answer === NO_RESPONSE
          ? []
          : encodeFrame(encodeResponseHeader(header.apiKey, header.apiVersion, header.correlationId), answer)
      this.#flush()
    }
    this.#broker.metrics.requests++
    try {
      slot.edge = this.#broker.edge?.begin(handler.api, header, body, this.#stream.remote)
      const context = {
        broker: this.#broker,
        version: header.apiVersion,
        clientId: header.clientId,
        remote: this.#stream.remote,
        listener: this.#listener,
        edge: slot.edge,
        onClose: (abandon: () => void) => (slot.abandon = abandon),
        letNextIn: () => {
          slot.pipelines = true
          this.#pump()
        },
      }
      const answer =
        this.#broker.faults.of('protocol').length > 0 ? faultyAnswer(handler, body, context, this) : handler.answer(body, context)
      if (answer instanceof Promise) answer.then(done).catch((error: unknown) => this.#refuse(error))
      else done(answer)
    } catch (error) {
      this.#refuse(error)
    }
  }

  #flush(): void {
    if (this.#closed) return
    const out: Uint8Array[] = []
    while (this.#slots.length > 0 && this.#slots[0]!.chunks) {
      const { chunks, edge } = this.#slots.shift()!
      edge?.left()
      out.push(...chunks!)
    }
    if (out.length > 0 && !this.#stream.write(out)) this.#congested = true
    this.#pump()
    this.#updateFlow()
  }

  /** A peer that does not read, or that sends more than we can take, is not read from. */
  #updateFlow(): void {
    const pause = this.#congested || this.#queue.length > MAX_QUEUED
    if (pause === this.#paused || this.#closed) return
    this.#paused = pause
    if (pause) this.#stream.pause()
    else this.#stream.resume()
  }

  /** Malformed bytes close this connection and are counted; anything else is a mistake of ours. */
  #refuse(error: unknown): void {
    if (!(error instanceof MalformedError)) return this.#broker.fail(error as Error)
    this.#drop(error.message)
  }

  #drop(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue.length = 0
    this.#broker.metrics.malformed++
    this.#broker.events.emit('connection.refused', { remote: this.#stream.remote, reason })
    this.#stream.destroy()
  }

  #watchIdle(): void {
    const left = this.#lastActive + this.#limits.maxIdleMs - this.#broker.clock.mono()
    if (left <= 0 && this.#slots.length === 0) return this.#leave()
    this.#idleTimer = this.#broker.clock.after(Math.max(left, 1000), () => this.#watchIdle())
  }

  #leave(): void {
    this.#broker.metrics.idle++
    this.#stream.destroy()
  }

  #ended(): void {
    this.#closed = true
    this.#idleTimer?.cancel()
    this.#queue.length = 0
    for (const { abandon, edge } of this.#slots.splice(0)) {
      abandon?.()
      edge?.gone()
    }
    this.#broker.forget(this)
  }
}

function isProduce(turn: Turn): boolean {
  return 'handler' in turn && turn.handler.api.key === produce.key
}

/** KIP-511: version 0's format, the error, and the versions that there are. */
function unsupportedVersion({ correlationId }: DecodedRequestHeader, api: Api): Uint8Array[] {
  const apiKeys = [{ apiKey: api.key, minVersion: api.minVersion, maxVersion: api.maxVersion }]
  const body = apiVersions.response.encode({ errorCode: Errors.UNSUPPORTED_VERSION, apiKeys }, 0)
  return encodeFrame(encodeResponseHeader(apiVersions.key, 0, correlationId), body)
}

function supports(api: Api, version: number): boolean {
  return version >= api.minVersion && version <= api.maxVersion
}
