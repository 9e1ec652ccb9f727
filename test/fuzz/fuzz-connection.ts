// One client that cannot be trusted, and that knows what it is owed: for every frame it sent an answer, in order, that decodes at its
// version to the last byte, or the end of the connection where the bytes were no request.
import type { ByteStream } from '@faultline/base'
import {
  type Api,
  apiByKey,
  apiVersions,
  decodeCorrelationId,
  decodeRequestHeader,
  decodeResponseHeader,
  FrameParser,
  MalformedError,
} from '@faultline/protocol'
import { Reader } from '../../packages/protocol/src/schema/reader.ts'

/** What the server owes for one frame. */
type Owed =
  | {
      readonly kind: 'answer'
      readonly api: Api
      readonly version: number
      readonly asked: number
      readonly id: number
      readonly request: Record<string, unknown>
    }
  /** The bytes are no request: nothing but the end of the connection can follow. */
  | { readonly kind: 'end'; readonly why: string }

/** These wait for something to happen, for as long as they were told: the client gives up first. */
const MAY_WAIT = new Set(['Produce', 'Fetch', 'JoinGroup', 'SyncGroup'])

const FRAME_LIMIT = 100 * 1024 * 1024

export interface Answer {
  readonly api: Api
  readonly version: number
  readonly request: Record<string, unknown>
  readonly response: Record<string, unknown>
}

export interface FuzzConnectionEvents {
  onAnswer(answer: Answer): void
  /** Everything that was owed has come; `open` says whether more can be sent. */
  onSettled(open: boolean): void
  /** The connection was closed instead of an answer. */
  onDenied(what: string): void
  /** The server broke a rule. */
  onWrong(what: string): void
}

export class FuzzConnection {
  readonly #stream: ByteStream
  readonly #served: ReadonlySet<number>
  readonly #events: FuzzConnectionEvents
  /** Sees what the server sees, so that it is known where its frames begin and end. */
  readonly #sent = new FrameParser(FRAME_LIMIT)
  readonly #received = new FrameParser(FRAME_LIMIT)
  readonly #owed: Owed[] = []
  /** What has no answer can fail only in one way: the connection ends. */
  #sentOneWay = false
  #closed = false

  constructor(stream: ByteStream, served: ReadonlySet<number>, events: FuzzConnectionEvents) {
    this.#stream = stream
    this.#served = served
    this.#events = events
    stream.onData = (chunk) => this.#receive(chunk)
    stream.onClose = () => this.#ended()
  }

  /** True when the server cannot answer yet: it has part of a frame, and waits for the rest. */
  get incomplete(): boolean {
    return this.#sent.buffered > 0
  }

  get settled(): boolean {
    return this.#owed.length === 0
  }

  /** The server may still be waiting, rightly. */
  get mayWait(): boolean {
    const [first] = this.#owed
    return first?.kind === 'answer' && MAY_WAIT.has(first.api.name)
  }

  describeOwed(): string {
    return this.#owed
      .map((owed) => (owed.kind === 'end' ? `the end (${owed.why})` : `${owed.api.name} v${owed.asked}`))
      .join(', ')
  }

  send(chunks: readonly Uint8Array[]): void {
    try {
      for (const chunk of chunks) this.#sent.push(Uint8Array.from(chunk), (frame) => this.#owe(frame))
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      this.#owed.push({ kind: 'end', why: error.message })
    }
    for (const chunk of chunks) this.#stream.write([chunk])
  }

  close(): void {
    this.#closed = true
    this.#stream.destroy()
  }

  #owe(frame: Uint8Array): void {
    const owed = this.#owedFor(frame)
    if (owed) this.#owed.push(owed)
  }

  #owedFor(frame: Uint8Array): Owed | undefined {
    try {
      const { apiKey, apiVersion: asked, correlationId: id, bodyOffset } = decodeRequestHeader(frame)
      const api = apiByKey(apiKey)
      if (!api || !this.#served.has(apiKey)) return { kind: 'end', why: `api ${apiKey}` }
      if (asked < api.minVersion || asked > api.maxVersion) {
        if (api !== apiVersions) return { kind: 'end', why: `${api.name} v${asked}` }
        return { kind: 'answer', api, version: 0, asked, id, request: {} }
      }
      const request = api.request.decode(frame.subarray(bodyOffset), asked) as Record<string, unknown>
      const oneWay = api.name === 'Produce' && request.acks === 0
      if (oneWay) {
        this.#sentOneWay = true
        return undefined
      }
      return { kind: 'answer', api, version: asked, asked, id, request }
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      return { kind: 'end', why: error.message }
    }
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closed) return
    this.#received.push(chunk, (frame) => this.#check(frame))
    if (this.settled) this.#events.onSettled(true)
  }

  #check(frame: Uint8Array): void {
    const owed = this.#owed.shift()
    if (owed?.kind !== 'answer') {
      const instead = owed ? `, owed was the end (${owed.why})` : ''
      return this.#events.onWrong(`an answer that was not asked for${instead}: ${hex(frame)}`)
    }
    const { api, version, asked, id, request } = owed
    const what = `${api.name} v${asked}`
    if (decodeCorrelationId(frame) !== id)
      return this.#events.onWrong(`${what}: correlation id ${decodeCorrelationId(frame)}, not ${id}`)
    try {
      const { bodyOffset } = decodeResponseHeader(frame, api.key, version)
      const reader = new Reader(frame.subarray(bodyOffset), 0, what)
      const response = api.response.read(reader, version) as Record<string, unknown>
      if (reader.position !== reader.end)
        return this.#events.onWrong(`${what}: ${reader.end - reader.position} bytes after the answer`)
      this.#events.onAnswer({ api, version: asked, request, response })
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      this.#events.onWrong(`${what}: the answer does not decode: ${error.message}: ${hex(frame)}`)
    }
  }

  #ended(): void {
    if (this.#closed) return
    this.#closed = true
    const rightly = this.#sentOneWay || this.#owed.length === 0 || this.#owed.some((owed) => owed.kind === 'end')
    if (!rightly) this.#events.onDenied(this.describeOwed())
    this.#owed.length = 0
    this.#events.onSettled(false)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 200)).toString('hex')
}
