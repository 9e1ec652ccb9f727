// The byte-stream port on a TCP socket. A chunk handed to onData is the receiver's to keep.
import type { Socket } from 'node:net'
import type { ByteStream } from '@faultline/base'
import type { OutputGate } from '../output-gate.ts'

/** Bytes that may wait for a slow reader before write() says stop. */
const HIGH_WATER_BYTES = 1024 * 1024

/** Bytes that may wait for a peer that does not read at all, before it is given up. */
const LIMIT_BYTES = 256 * 1024 * 1024

export class SocketStream implements ByteStream {
  readonly remote: string
  onData: (chunk: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  onClose: () => void = () => {}
  readonly #socket: Socket
  readonly #gate: OutputGate | undefined

  constructor(socket: Socket, gate?: OutputGate) {
    this.#socket = socket
    this.#gate = gate
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.onData(chunk))
    socket.on('drain', () => this.onDrain())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.onClose())
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#gate?.held) {
      this.#gate.pass(() => this.#write(chunks))
      return true
    }
    return this.#write(chunks)
  }

  #write(chunks: readonly Uint8Array[]): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return true
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk)
    this.#socket.uncork()
    if (this.#socket.writableLength > LIMIT_BYTES) this.#socket.destroy()
    return this.#socket.writableLength < HIGH_WATER_BYTES
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
