// A storm of connections that are opened and say nothing.
import { connect } from 'node:net'
import type { LoadKind } from './load-kind.ts'

export const connections: LoadKind = {
  kind: 'connections',
  start({ host, port }, parameter, hit) {
    const count = parameter('count')
    let open = 0
    const sockets = Array.from({ length: count }, () => {
      const socket = connect({ host, port })
      socket.on('error', () => {})
      socket.once('connect', () => {
        if (++open === count) hit({ connections: count })
      })
      return socket
    })
    return () => {
      for (const socket of sockets) socket.destroy()
    }
  },
}
