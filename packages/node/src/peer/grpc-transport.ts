// The transport between nodes on gRPC. A node dials (peer, plane) through its link table, never an address out of metadata.
//
// The options are part of the contract: raised HTTP/2 windows (with the default 64 KiB, 5 ms of latency leave 3.5 MB/s), a short reconnect
// back-off (the default takes seconds to come back after a restart), no limit on what is received, no proxy from the environment, no
// retries, no channelz.
import {
  Client,
  type ClientDuplexStream,
  credentials,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import {
  type CallHandler,
  type OutgoingMessage,
  type Peer,
  PeerError,
  type PeerErrorCode,
  type PeerStream,
  type PeerTransport,
  type Plane,
  type StreamHandler,
} from '@faultline/base'
import { OutputGate } from '../output-gate.ts'

const WINDOW_BYTES = 16 * 1024 * 1024

const CHANNEL_OPTIONS = {
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.enable_channelz': 0,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 300,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 0,
  'grpc-node.flow_control_window': WINDOW_BYTES,
  'grpc.use_local_subchannel_pool': 1,
} as const

const SERVER_OPTIONS = {
  'grpc.enable_channelz': 0,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc-node.flow_control_window': WINDOW_BYTES,
} as const

/** Where (peer, plane) is: "host:port". */
export type LinkTable = (peer: Peer) => string

const asIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * grpc-js frames a message by asking it for its length and letting it copy itself behind the frame's header: an object that can do these
 * two is enough, and saves a copy of every record that is replicated.
 */
const asGathered = (message: OutgoingMessage): Buffer => {
  const { byteLength } = message
  const copy = (target: Uint8Array, at: number) => {
    message.copyTo(target, at)
    return byteLength
  }
  return { byteLength, length: byteLength, copy } as unknown as Buffer
}
const asBytes = (bytes: Buffer): Uint8Array => bytes

export class GrpcTransport implements PeerTransport {
  readonly #links: LinkTable
  readonly #gate: OutputGate
  readonly #clients = new Map<string, Client>()
  readonly #calls: Record<Plane, Map<string, CallHandler>> = { control: new Map(), replication: new Map() }
  readonly #streams: Record<Plane, Map<string, StreamHandler>> = { control: new Map(), replication: new Map() }
  readonly #servers: Server[] = []
  #closed = false

  constructor(links: LinkTable, gate = new OutputGate()) {
    this.#links = links
    this.#gate = gate
  }

  async call(peer: Peer, method: string, body: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    if (this.#closed) throw new PeerError('CANCELLED', 'this node is stopping')
    const deadline = Date.now() + deadlineMs
    return new Promise((resolve, reject) => {
      const answered = (error: ServiceError | null, reply?: Uint8Array) => {
        if (error) reject(peerError(error))
        else resolve(reply!)
      }
      const ask = () => this.#client(peer).makeUnaryRequest(method, asIs, asBytes, body, new Metadata(), { deadline }, answered)
      this.#gate.pass(() => void ask())
    })
  }

  openStream(peer: Peer, method: string): PeerStream {
    return new GrpcStream(this.#client(peer).makeBidiStreamRequest(method, asGathered, asBytes), this.#gate)
  }

  serveCall(plane: Plane, method: string, handler: CallHandler): void {
    this.#calls[plane].set(method, handler)
  }

  serveStream(plane: Plane, method: string, handler: StreamHandler): void {
    this.#streams[plane].set(method, handler)
  }

  /** Serves what was registered for `plane`; resolves with the port. Rejects when it cannot be had. */
  async listen(plane: Plane, address: string): Promise<number> {
    const server = new Server(SERVER_OPTIONS)
    for (const [path, handler] of this.#calls[plane]) server.register(path, unary(handler, this.#gate), asIs, asBytes, 'unary')
    for (const [path, handler] of this.#streams[plane])
      server.register(path, bidi(handler, this.#gate), asGathered, asBytes, 'bidi')
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)))
    })
  }

  close(): void {
    this.#closed = true
    for (const client of this.#clients.values()) client.close()
    for (const server of this.#servers) server.forceShutdown()
  }

  #client(peer: Peer): Client {
    const address = this.#links(peer)
    const key = `${peer.plane}:${peer.node}:${address}`
    let client = this.#clients.get(key)
    if (!client) {
      client = new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS)
      this.#clients.set(key, client)
    }
    return client
  }
}

function unary(handler: CallHandler, gate: OutputGate): handleUnaryCall<Uint8Array, Uint8Array> {
  return (call, done) => {
    handler(call.request).then(
      (reply) => gate.pass(() => done(null, reply)),
      (error: unknown) => gate.pass(() => done({ code: status.INTERNAL, details: (error as Error).message })),
    )
  }
}

function bidi(handler: StreamHandler, gate: OutputGate): handleBidiStreamingCall<Uint8Array, OutgoingMessage> {
  return (call) => handler(new GrpcStream(call, gate))
}

type Duplex = ClientDuplexStream<OutgoingMessage, Uint8Array> | ServerDuplexStream<Uint8Array, OutgoingMessage>

class GrpcStream implements PeerStream {
  onMessage: (message: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  onClose: (error: PeerError | undefined) => void = () => {}
  readonly #duplex: Duplex
  readonly #gate: OutputGate
  #closed = false

  constructor(duplex: Duplex, gate: OutputGate) {
    this.#duplex = duplex
    this.#gate = gate
    duplex.on('data', (message: Uint8Array) => {
      if (!this.#closed) this.onMessage(message)
    })
    duplex.on('drain', () => this.onDrain())
    duplex.on('error', (error: ServiceError) => this.#ended(peerError(error)))
    duplex.on('end', () => this.close())
    duplex.on('close', () => this.#ended(undefined))
    duplex.on('cancelled', () => this.#ended(new PeerError('CANCELLED', 'the peer went away')))
  }

  send(message: OutgoingMessage): boolean {
    if (this.#closed) return true
    if (!this.#gate.held) return this.#duplex.write(message)
    this.#gate.pass(() => void (this.#closed || this.#duplex.write(message)))
    return true
  }

  close(): void {
    if (this.#closed) return
    this.#duplex.end()
    this.#ended(undefined)
    // A client that ended its side still waits for the server's status; nobody here wants it.
    if ('cancel' in this.#duplex) setImmediate(() => (this.#duplex as ClientDuplexStream<OutgoingMessage, Uint8Array>).cancel())
  }

  #ended(error: PeerError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.onClose(error)
  }
}

const CODES: Partial<Record<number, PeerErrorCode>> = {
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  [status.DEADLINE_EXCEEDED]: 'DEADLINE',
  [status.CANCELLED]: 'CANCELLED',
  [status.UNIMPLEMENTED]: 'UNIMPLEMENTED',
}

function peerError(error: { code?: number; details?: string; message: string }): PeerError {
  return new PeerError(CODES[error.code ?? -1] ?? 'INTERNAL', error.details ?? error.message)
}
