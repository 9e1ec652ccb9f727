// A request is handled late, or its answer leaves late.
import type { FaultyCall, ProtocolKind } from './kind.ts'

export const delay: ProtocolKind = {
  kind: 'delay',
  async act(call, request, next) {
    if (call.armed.text('stage', 'before') === 'before') {
      if (call.hit()) await pause(call)
      return next(request)
    }
    const answer = await next(request)
    if (call.hit()) await pause(call)
    return answer
  },
}

/** Healed, what waits goes on at once. */
function pause({ armed, context }: FaultyCall): Promise<void> {
  return new Promise((resolve) => {
    const timer = context.broker.clock.after(armed.number('ms', 1000), resolve)
    armed.onDisarm(() => {
      timer.cancel()
      resolve()
    })
  })
}
