// One connection to a broker: requests out, responses back in order, matched by correlation id.
import type { ByteStream, ClientDialer, Clock, Timer } from '@faultline/base'
import {
  type Api,
  apiVersions,
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

/** A request that is not answered in time ends its connection. */
export interface Patience {
  readonly clock: Clock
  readonly requestTimeoutMs: number
}

interface Waiting {
  readonly api: Api
  readonly version: number
  readonly limit: Timer | undefined
  resolve(response: unknown): void
  reject(error: Error): void
}

const MAX_RESPONSE_BYTES = 100 * 1024 * 1024
const API_VERSIONS_VERSION = 4

export class Connection {
  readonly #stream: ByteStream
  readonly #clientId: string
  readonly #patience: Patience | undefined
  readonly #parser = new FrameParser(MAX_RESPONSE_BYTES)
  readonly #waiting = new Map<number, Waiting>()
  #served: Promise<ReadonlyMap<number, { minVersion: number; maxVersion: number }>> | undefined
  #correlationId = 0
  #closed = false

  constructor(dialer: ClientDialer, host: string, port: number, clientId: string, patience?: Patience) {
    this.#stream = dialer.dial(host, port)
    this.#clientId = clientId
    this.#patience = patience
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
    const limit = this.#patience?.clock.after(this.#patience.requestTimeoutMs, () => this.#stream.destroy())
    return new Promise((resolve, reject) => {
      this.#waiting.set(correlationId, { api, version, limit, resolve: resolve as (response: unknown) => void, reject })
      this.#stream.write(encodeFrame(header, body))
    })
  }

  /** The newest version that both sides know; undefined when the broker does not serve this API. Rejects with Disconnected. */
  async newest(api: Api): Promise<number | undefined> {
    const served = (await (this.#served ??= this.#askServed())).get(api.key)
    if (!served || served.maxVersion < api.minVersion || served.minVersion > api.maxVersion) return undefined
    return Math.min(served.maxVersion, api.maxVersion)
  }

  async #askServed(): Promise<ReadonlyMap<number, { minVersion: number; maxVersion: number }>> {
    const software = { clientSoftwareName: 'faultline', clientSoftwareVersion: '0.1.0' }
    const { apiKeys } = await this.request(apiVersions, API_VERSIONS_VERSION, software)
    return new Map(apiKeys.map((served) => [served.apiKey, served]))
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
    waiting.limit?.cancel()
    const { bodyOffset } = decodeResponseHeader(frame, waiting.api.key, waiting.version)
    waiting.resolve(waiting.api.response.decode(frame.subarray(bodyOffset), waiting.version))
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { limit, reject } of this.#waiting.values()) {
      limit?.cancel()
      reject(new Disconnected('the connection ended'))
    }
    this.#waiting.clear()
  }
}
