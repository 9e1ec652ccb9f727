// How brokers ask each other about transactions: in Kafka's own bytes, on the control plane. A broker that asks itself takes the same way,
// but for the network.
import { PeerError, type PeerTransport } from '@faultline/base'
import { addPartitionsToTxn, type Api, Errors, type RequestInput, type ResponseOf, writeTxnMarkers } from '@faultline/protocol'
import { call, serve } from '@faultline/rpc'
import type { ApiHandler, RequestContext } from './api/handler.ts'

/** What brokers ask brokers; anything else has no business here. */
const ASKED: ReadonlySet<number> = new Set([addPartitionsToTxn.key, writeTxnMarkers.key])

export interface BrokerChannelOptions {
  readonly brokerId: number
  readonly transport: PeerTransport
  readonly handlers: ReadonlyMap<number, ApiHandler>
  readonly context: (version: number, clientId: string) => RequestContext
}

export class BrokerChannel {
  readonly #o: BrokerChannelOptions

  constructor(options: BrokerChannelOptions) {
    this.#o = options
    serve(options.transport, 'forward', async ({ apiKey, apiVersion, clientId, body }) => {
      const answer = await this.#answer(apiKey, apiVersion, clientId, body)
      return answer ? { error: Errors.NONE, leader: -1, body: answer } : { error: Errors.INVALID_REQUEST, leader: -1 }
    })
  }

  /** Undefined when there was no answer in time: what was asked may have been done all the same. */
  async ask<A extends Api>(
    broker: number,
    api: A,
    version: number,
    request: RequestInput<A>,
    timeoutMs: number,
  ): Promise<ResponseOf<A> | undefined> {
    const body = Buffer.concat(api.request.encode(request as never, version))
    const reply = await this.#ask(broker, api.key, version, body, timeoutMs)
    return reply && (api.response.decode(reply, version) as ResponseOf<A>)
  }

  async #ask(broker: number, apiKey: number, apiVersion: number, body: Uint8Array, timeoutMs: number) {
    const clientId = `broker-${this.#o.brokerId}`
    if (broker === this.#o.brokerId) return this.#answer(apiKey, apiVersion, clientId, body)
    try {
      const message = { apiKey, apiVersion, clientId, body }
      const reply = await call(this.#o.transport, broker, 'forward', message, timeoutMs)
      return reply.error === Errors.NONE ? reply.body : undefined
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      return undefined
    }
  }

  async #answer(apiKey: number, version: number, clientId: string, body: Uint8Array): Promise<Uint8Array | undefined> {
    const handler = ASKED.has(apiKey) ? this.#o.handlers.get(apiKey) : undefined
    if (!handler) return undefined
    const answer = await handler.answer(body, this.#o.context(version, clientId))
    return typeof answer === 'symbol' ? undefined : Buffer.concat(answer)
  }
}
