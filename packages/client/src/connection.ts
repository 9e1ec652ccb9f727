// One connection to a broker: requests out, responses back in order, matched by correlation id.
import type { ByteStream, ClientDialer } from '@faultline/base'
import {
  type Api,
  decodeCorrelationId,
  decodeResponseHeader,
  encodeFrame,
  encodeRequestHeader,
  FrameParser,
  type RequestInput,
  type ResponseOf,
} from '@faultline/protocol'

/** The connection ended before the answer: whether the broker acted on the request is open. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected'
}

interface Waiting {
  readonly api: Api
  readonly version: number
  resolve(response: unknown): void
  reject(error: Error): void
}

const MAX_RESPONSE_BYTES = 100 * 1024 * 1024

export class Connection {
  readonly #stream: ByteStream
  readonly #clientId: string
  readonly #parser = new FrameParser(MAX_RESPONSE_BYTES)
  readonly #waiting = new Map<number, Waiting>()
  #correlationId = 0
  #closed = false

  constructor(dialer: ClientDialer, host: string, port: number, clientId: string) {
    this.#stream = dialer.dial(host, port)
    this.#clientId = clientId
    this.#stream.onData = (chunk) => this.#receive(chunk)
    this.#stream.onClose = () => this.#end()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Rejects with Disconnected. */
  request<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
    if (this.#closed) return Promise.reject(new Disconnected('the connection is closed'))
    const correlationId = this.#correlationId++
    const header = encodeRequestHeader({ apiKey: api.key, apiVersion: version, correlationId, clientId: this.#clientId })
    const body = api.request.encode(request as never, version)
    return new Promise((resolve, reject) => {
      this.#waiting.set(correlationId, { api, version, resolve: resolve as (response: unknown) => void, reject })
      this.#stream.write(encodeFrame(header, body))
    })
  }

  close(): void {
    this.#stream.destroy()
  }

  #receive(chunk: Uint8Array): void {
    try {
      this.#parser.push(chunk, (frame) => this.#answer(frame))
    } catch {
      this.#stream.destroy()
    }
  }

  #answer(frame: Uint8Array): void {
    const correlationId = decodeCorrelationId(frame)
    const waiting = this.#waiting.get(correlationId)
    if (!waiting) return this.#stream.destroy()
    this.#waiting.delete(correlationId)
    const { bodyOffset } = decodeResponseHeader(frame, waiting.api.key, waiting.version)
    waiting.resolve(waiting.api.response.decode(frame.subarray(bodyOffset), waiting.version))
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { reject } of this.#waiting.values()) reject(new Disconnected('the connection ended'))
    this.#waiting.clear()
  }
}
