// Bytes that are no request, again and again on new connections: the broker closes each.
import { randomBytes } from 'node:crypto'
import { keepConnecting, type LoadKind } from './load-kind.ts'

export const garbage: LoadKind = {
  kind: 'garbage',
  start: (target, parameter, hit) =>
    keepConnecting(
      target,
      (socket) => {
        const bytes = randomBytes(parameter('bytes'))
        // A request begins with its length: what could be one would be waited for.
        bytes[0] = bytes[0]! | 0x80
        socket.write(bytes)
      },
      (ms) => hit({ closedAfterMs: Math.round(ms) }),
    ),
}
