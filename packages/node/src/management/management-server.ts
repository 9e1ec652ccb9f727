// The management plane of one node: a Unix socket that takes one JSON line per request and answers with JSON lines. No fault touches it.
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { EventLog } from '../event-log.ts'

export interface ManagedNode {
  status(): unknown
  /** Ends orderly; the process exits afterwards. */
  stop(): void
}

/** A request is a word; nothing longer is worth reading. */
const MAX_REQUEST_BYTES = 4096

export async function serveManagement(path: string, node: ManagedNode, events: EventLog): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer((socket) => serveSocket(socket, node, events))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return server
}

function serveSocket(socket: Socket, node: ManagedNode, events: EventLog): void {
  let pending = ''
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('data', (text: string) => {
    pending += text
    const lines = pending.split('\n')
    pending = lines.pop()!
    for (const line of lines) answer(socket, line, node, events)
    if (pending.length > MAX_REQUEST_BYTES) socket.destroy()
  })
}

function answer(socket: Socket, line: string, node: ManagedNode, events: EventLog): void {
  const say = (value: unknown) => socket.write(`${JSON.stringify(value)}\n`)
  switch (verbOf(line)) {
    case 'status':
      return void say(node.status())
    case 'events': {
      const stop = events.listen((event) => socket.write(`${event}\n`))
      socket.on('close', stop)
      return
    }
    case 'stop':
      say({ stopping: true })
      return node.stop()
    default:
      say({ error: 'unknown verb', verbs: ['status', 'events', 'stop'] })
  }
}

function verbOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { verb?: unknown }).verb
  } catch {
    return undefined
  }
}
