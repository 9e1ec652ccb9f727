// A TCP proxy on one link, which can be cut and healed.
import { connect, createServer, type Server, type Socket } from 'node:net'

export class TcpProxy implements AsyncDisposable {
  readonly port: number
  readonly #server: Server
  readonly #sockets: Set<Socket>
  readonly #link: { cut: boolean }

  private constructor(server: Server, sockets: Set<Socket>, link: { cut: boolean }) {
    this.#server = server
    this.#sockets = sockets
    this.#link = link
    this.port = (server.address() as { port: number }).port
  }

  static async to(host: string, port: number): Promise<TcpProxy> {
    const sockets = new Set<Socket>()
    const keep = (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
      return socket
    }
    const link = { cut: false }
    const server = createServer((near) => {
      keep(near)
      if (link.cut) return near.destroy()
      const far = keep(connect(port, host))
      near.pipe(far).pipe(near)
      near.on('close', () => far.destroy())
      far.on('close', () => near.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new TcpProxy(server, sockets, link)
  }

  /** Ends every connection and lets none through. */
  cut(): void {
    this.#link.cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  heal(): void {
    this.#link.cut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
