// What a handler file declares: one API, and a function from request to response. The registry is the set of these.
import type { Api, RequestOf, ResponseInput } from '@faultline/protocol'
import type { Broker } from '../broker.ts'
import type { EdgeRequest } from '../edge/edge-record.ts'

/** Produce with acks=0 has no response. */
export const NO_RESPONSE = Symbol('no response')
/** The connection is closed instead of an answer, as Kafka does with what it cannot answer. */
export const CLOSE_CONNECTION = Symbol('close connection')

export interface RequestContext {
  readonly broker: Broker
  readonly version: number
  readonly clientId: string | null
  /** "127.0.0.1:51334". */
  readonly remote: string
  /** Name of the listener that the connection came in on. */
  readonly listener: string
  /** What waits for the client is to be forgotten when the client is gone. */
  readonly onClose: (abandon: () => void) => void
  /** Its line in the record at the edge, while there is one. */
  readonly edge: EdgeRequest | undefined
  /** What this request does is done, and it only waits: a request of the same kind may follow it on its connection. */
  readonly letNextIn: () => void
}

export type Answer<T> = T | typeof NO_RESPONSE | typeof CLOSE_CONNECTION

/** An API as the connection drives it: bytes of a request body to the chunks of a response body. Throws MalformedError. */
export interface ApiHandler {
  readonly api: Api
  answer(body: Uint8Array, context: RequestContext): Promise<Answer<Uint8Array[]>> | Answer<Uint8Array[]>
  /** The same between a request and a response that are not bytes: what faults change. */
  handle(request: object, context: RequestContext): Promise<Answer<object>> | Answer<object>
}

/** What leaves: what it refuses to a client is told of. */
export function encodeAnswer(api: Api, answer: Answer<object>, context: RequestContext): Answer<Uint8Array[]> {
  if (typeof answer === 'symbol') return answer
  // Other brokers have no listener.
  if (context.listener !== '') context.broker.clientErrors.note(api, answer, context)
  context.edge?.answered(answer)
  return api.response.encode(answer as never, context.version)
}

export function handler<A extends Api>(
  api: A,
  handle: (request: RequestOf<A>, context: RequestContext) => Promise<Answer<ResponseInput<A>>> | Answer<ResponseInput<A>>,
): ApiHandler {
  return {
    api,
    handle: (request, context) => handle(request as RequestOf<A>, context) as Promise<Answer<object>> | Answer<object>,
    answer(body, context) {
      const response = handle(api.request.decode(body, context.version) as RequestOf<A>, context)
      return response instanceof Promise
        ? response.then((r) => encodeAnswer(api, r, context))
        : encodeAnswer(api, response, context)
    },
  }
}
