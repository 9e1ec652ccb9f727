// What a kind of load is: a client without manners, to one broker, until it is told to stop.
import { connect, type Socket } from 'node:net'

export interface LoadTarget {
  readonly host: string
  readonly port: number
}

export interface LoadKind {
  readonly kind: string
  /** `hit` tells that the broker has met it. Returns how to stop. */
  start(
    target: LoadTarget,
    parameter: (name: string) => number,
    hit: (fields: Readonly<Record<string, unknown>>) => void,
  ): () => void
}

const AGAIN_MS = 50

/** A connection that is made again whenever it ends. `use` is given each; `ended` hears how long it lived. */
export function keepConnecting(
  { host, port }: LoadTarget,
  use: (socket: Socket) => void,
  ended: (ms: number) => void,
): () => void {
  let socket: Socket
  let timer: NodeJS.Timeout | undefined
  let over = false
  const open = () => {
    const began = performance.now()
    socket = connect({ host, port })
    socket.once('connect', () => use(socket))
    socket.on('error', () => {})
    socket.once('close', () => {
      if (over) return
      ended(performance.now() - began)
      timer = setTimeout(open, AGAIN_MS)
    })
  }
  open()
  return () => {
    over = true
    clearTimeout(timer)
    socket.destroy()
  }
}
