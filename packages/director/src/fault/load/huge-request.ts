// A request that says it is larger than socket.request.max.bytes: the broker closes the connection without waiting for it.
import { keepConnecting, type LoadKind } from './load-kind.ts'

export const hugeRequest: LoadKind = {
  kind: 'huge-request',
  start: (target, parameter, hit) =>
    keepConnecting(
      target,
      (socket) => {
        const length = Buffer.alloc(4)
        length.writeInt32BE(Math.min(parameter('bytes'), 0x7fffffff))
        socket.write(length)
      },
      (ms) => hit({ closedAfterMs: Math.round(ms) }),
    ),
}
