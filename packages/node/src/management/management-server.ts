// The management plane of one node: a Unix socket that takes one JSON line per request and answers with JSON lines. No fault touches it.
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { type ArmedFaults, ConditionError, type NodeFault } from '@faultline/fault'
import type { EventLog } from '../event-log.ts'
import { exposition } from '../metrics/exposition.ts'
import type { ObservedNode } from '../metrics/http-server.ts'
import type { OutputGate } from '../output-gate.ts'

export interface ManagedNode extends ObservedNode {
  status(): unknown
  /** Ends orderly; the process exits afterwards. */
  stop(): void
  /** What clients ask is noted from now on, where clients ask. */
  record?(): void
}

export type ManagementRequest =
  | { readonly verb: 'status' | 'metrics' | 'events' | 'stop' | 'faults' | 'disarm-all' | 'release' | 'record' }
  | { readonly verb: 'arm'; readonly fault: NodeFault }
  | { readonly verb: 'disarm' | 'retire'; readonly id: string }
  /** What a fault waits for has become true so often in other nodes. */
  | { readonly verb: 'owe'; readonly id: string; readonly times: number }
  /** Another node's fault has hit so often: faults that wait for it may begin. */
  | { readonly verb: 'hit-elsewhere'; readonly id: string; readonly hits: number }

/** The largest request is a fault. */
const MAX_REQUEST_BYTES = 64 * 1024

export async function serveManagement(
  path: string,
  node: ManagedNode,
  events: EventLog,
  faults: ArmedFaults,
  gate: OutputGate,
): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer((socket) =>
    serveSocket(socket, (request) => answer(socket, request, { node, events, faults, gate })),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return server
}

function serveSocket(socket: Socket, answerOne: (request: ManagementRequest) => void): void {
  let pending = ''
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('data', (text: string) => {
    pending += text
    const lines = pending.split('\n')
    pending = lines.pop()!
    for (const line of lines) answerOne(requestOf(line))
    if (pending.length > MAX_REQUEST_BYTES) socket.destroy()
  })
}

interface Managed {
  readonly node: ManagedNode
  readonly events: EventLog
  readonly faults: ArmedFaults
  readonly gate: OutputGate
}

function answer(socket: Socket, request: ManagementRequest, { node, events, faults, gate }: Managed): void {
  const say = (value: unknown) => socket.write(`${JSON.stringify(value)}\n`)
  switch (request.verb) {
    case 'status':
      return void say(node.status())
    case 'metrics':
      return void say({ text: exposition(node.families()) })
    case 'events': {
      const batch = new EventBatch(socket)
      const stop = events.listen((event) => batch.add(event))
      socket.on('close', stop)
      return
    }
    case 'stop':
      say({ stopping: true })
      return node.stop()
    case 'record':
      node.record?.()
      return void say({ recording: node.record !== undefined })
    case 'release':
      gate.release()
      return void say({ released: true })
    case 'faults':
      return void say(faults.list())
    case 'arm':
      return void say(arm(faults, request.fault))
    case 'disarm':
      return void say({ disarmed: faults.disarm(request.id) })
    case 'retire':
      faults.retire(request.id)
      return void say({ retired: true })
    case 'disarm-all':
      faults.disarmAll()
      return void say({ disarmed: true })
    case 'owe':
      faults.owe(request.id, request.times)
      return void say({})
    case 'hit-elsewhere':
      faults.hitElsewhere(request.id, request.hits)
      return void say({})
    default:
      say({ error: 'unknown verb' })
  }
}

/** To whoever listens, events come in batches: to wake them for each would cost a busy node a part of its time. Not those of faults. */
const BATCH_MS = 20

class EventBatch {
  readonly #socket: Socket
  #lines: string[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  add(event: string): void {
    this.#lines.push(event)
    if (event.includes('"event":"fault.')) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#socket.write(`${this.#lines.join('\n')}\n`)
    this.#lines = []
  }
}

function arm(faults: ArmedFaults, fault: NodeFault): { armed: true } | { error: string } {
  try {
    faults.arm(fault)
    return { armed: true }
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error
    return { error: error.message }
  }
}

function requestOf(line: string): ManagementRequest {
  try {
    return JSON.parse(line) as ManagementRequest
  } catch {
    return { verb: 'none' } as never
  }
}
