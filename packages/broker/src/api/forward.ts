// An API that the active controller answers: the request's bytes go there as they are, the answer's bytes come back (KIP-590). When no
// controller answers in time, the request is answered with REQUEST_TIMED_OUT, in the shape that the API has for it.
import { type Api, Errors, type RequestOf, type ResponseInput } from '@faultline/protocol'
import { type ApiHandler, CLOSE_CONNECTION, type RequestContext } from './handler.ts'

export function forwarded<A extends Api>(
  api: A,
  timeoutMs: (request: RequestOf<A>, context: RequestContext) => number,
  failed: (request: RequestOf<A>, error: number) => ResponseInput<A>,
): ApiHandler {
  return {
    api,
    async answer(body, context) {
      const request = api.request.decode(body, context.version) as RequestOf<A>
      const message = { apiKey: api.key, apiVersion: context.version, clientId: context.clientId ?? '', body }
      const reply = await context.broker.channel.ask('forward', message, timeoutMs(request, context))
      if (!reply) return api.response.encode(failed(request, Errors.REQUEST_TIMED_OUT) as never, context.version)
      return reply.error === Errors.NONE ? [reply.body] : CLOSE_CONNECTION
    },
  }
}
