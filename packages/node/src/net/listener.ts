// Listens for clients.
import { createServer, type Server, type Socket } from 'node:net'
import type { ByteStream } from '@faultline/base'
import type { OutputGate } from '../output-gate.ts'
import { SocketStream } from './socket-stream.ts'

export interface ClientListener {
  readonly port: number
  close(): Promise<void>
}

/** Rejects with the system's error (EADDRINUSE, EACCES) when the port cannot be had. */
export async function listen(
  host: string,
  port: number,
  gate: OutputGate,
  accept: (stream: ByteStream) => void,
): Promise<ClientListener> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    accept(new SocketStream(socket, gate))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 511 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', () => {})
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
