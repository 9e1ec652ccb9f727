// An API that the active controller answers: the request's bytes go there as they are, the answer's bytes come back (KIP-590). When no
// controller answers in time, the request is answered with REQUEST_TIMED_OUT, in the shape that the API has for it.
import { type Api, Errors, join, type RequestOf, type ResponseInput } from '@faultline/protocol'
import { type ApiHandler, CLOSE_CONNECTION, type RequestContext } from './handler.ts'

export function forwarded<A extends Api>(
  api: A,
  timeoutMs: (request: RequestOf<A>, context: RequestContext) => number,
  failed: (request: RequestOf<A>, error: number, version: number) => ResponseInput<A>,
): ApiHandler {
  const forward = async (body: Uint8Array, request: RequestOf<A>, context: RequestContext) => {
    const message = { apiKey: api.key, apiVersion: context.version, clientId: context.clientId ?? '', body }
    const reply = await context.broker.channel.ask('forward', message, timeoutMs(request, context))
    if (!reply) return api.response.encode(failed(request, Errors.REQUEST_TIMED_OUT, context.version) as never, context.version)
    return reply.error === Errors.NONE ? [reply.body] : CLOSE_CONNECTION
  }
  return {
    api,
    answer: (body, context) => forward(body, api.request.decode(body, context.version) as RequestOf<A>, context),
    async handle(request, context) {
      const body = join(api.request.encode(request as never, context.version))
      const answer = await forward(body, request as RequestOf<A>, context)
      return typeof answer === 'symbol' ? answer : api.response.decode(join(answer), context.version)
    },
  }
}
