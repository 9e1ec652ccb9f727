// The request is swallowed: nothing is done, nothing is answered, and nothing after it on its connection.
import { neverAnswered, type ProtocolKind } from './kind.ts'

export const blackhole: ProtocolKind = {
  kind: 'blackhole',
  act: async (call, request, next) => (call.hit() ? neverAnswered(call) : next(request)),
}
