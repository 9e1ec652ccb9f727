// The record at a broker's edge: each request of a client, what it was answered, and whether the answer left before the connection was gone.
// It is there only while somebody has asked for it.
import type { EdgeSink, Moment } from '@faultline/base'
import type { Api, DecodedRequestHeader } from '@faultline/protocol'
import { DETAILS } from './details.ts'
import { error, type NameOf } from './parts.ts'

export class EdgeRecord {
  readonly sink: EdgeSink
  readonly nameOf: NameOf
  #count = 0

  constructor(sink: EdgeSink, nameOf: NameOf) {
    this.sink = sink
    this.nameOf = nameOf
  }

  /** Before it is acted on, as that changes batches in place. Throws MalformedError, as a handler does. */
  begin(api: Api, header: DecodedRequestHeader, body: Uint8Array, remote: string): EdgeRequest {
    return new EdgeRequest(this, ++this.#count, api, header, body, remote)
  }
}

export class EdgeRequest {
  readonly #record: EdgeRecord
  readonly #api: Api
  readonly #began: Moment
  readonly #line: object
  #answer: object | undefined
  #isOver = false

  constructor(record: EdgeRecord, number: number, api: Api, header: DecodedRequestHeader, body: Uint8Array, remote: string) {
    const { apiVersion: version, correlationId: correlation, clientId: client } = header
    const detail = DETAILS.get(api.key)
    this.#record = record
    this.#api = api
    this.#began = record.sink.now()
    const request = detail?.asked(api.request.decode(body, version), record.nameOf)
    const about = { remote, client, api: api.name, version, correlation }
    this.#line = { number, ...this.#began, ...about, ...(request ? { request } : {}) }
    if (detail?.changes) record.sink.write(this.#line)
  }

  /** What it is told, if that leaves. */
  answered(answer: object): void {
    const detail = DETAILS.get(this.#api.key)
    this.#answer = detail
      ? detail.told(answer, this.#record.nameOf)
      : error((answer as { readonly errorCode?: number }).errorCode)
  }

  /** The answer leaves now, or there is none to wait for. */
  left(): void {
    this.#end(true)
  }

  /** The connection went first: the client cannot know what became of it. */
  gone(): void {
    this.#end(false)
  }

  #end(left: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    const { sink } = this.#record
    const tookMs = Math.round((sink.now().mono - this.#began.mono) * 1000) / 1000
    sink.write({ ...this.#line, ...(this.#answer ? { answer: this.#answer } : {}), tookMs, left })
  }
}
