// Bytes that are no request, again and again on new connections: the broker closes each.
import { randomBytes } from 'node:crypto'
import { keepConnecting, type LoadKind } from './load-kind.ts'

export const garbage: LoadKind = {
  kind: 'garbage',
  start: (target, parameter, hit) =>
    keepConnecting(
      target,
      (socket) => socket.write(randomBytes(parameter('bytes'))),
      (ms) => hit({ closedAfterMs: Math.round(ms) }),
    ),
}
