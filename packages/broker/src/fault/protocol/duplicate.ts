// The request is delivered twice, as by a network that repeats it; the client hears the second answer.
import type { Decoded } from '../request-subject.ts'
import type { ProtocolKind } from './kind.ts'

export const duplicate: ProtocolKind = {
  kind: 'duplicate',
  async act(call, request, next) {
    if (!call.hit()) return next(request)
    // Handling changes the batches in place: the second delivery needs bytes of its own.
    const again = call.api.request.decode(new Uint8Array(call.body), call.context.version) as Decoded
    await next(request)
    return next(again)
  },
}
