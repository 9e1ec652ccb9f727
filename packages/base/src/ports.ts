// The doors to the world. Everything below the shells takes time, randomness, disk and network through these, so that the same code
// runs on sockets and files (packages/node) and on a seeded virtual world (packages/sim).

export interface Timer {
  cancel(): void
}

/**
 * Kafka has two clocks, and so has this port. `wall` (ms since the epoch) may step: controller timers, replica lag and record
 * timestamps read it. `mono` (ms, arbitrary origin) never steps: purgatory and heartbeats read it. `after` runs on mono.
 */
export interface Clock {
  wall(): number
  mono(): number
  after(delayMs: number, run: () => void): Timer
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [0, bound). */
  below(bound: number): number
  bytes(count: number): Uint8Array
}

/** Codes of a failed disk operation, as the operating system names them. */
export type DiskErrorCode = 'ENOENT' | 'ENOSPC' | 'EIO' | 'EACCES' | 'EROFS' | 'ENOTDIR' | 'EISDIR' | 'EEXIST' | 'EMFILE'

/** Thrown by every disk operation that fails; `path` is the file concerned. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: DiskErrorCode
  readonly path: string
  constructor(code: DiskErrorCode, path: string, message = `${code}: ${path}`) {
    super(message)
    this.code = code
    this.path = path
  }
}

/** An open file. Positions and sizes are bytes. All calls are synchronous: into the page cache they cost less than a turn of the loop. */
export interface DiskFile {
  size(): number
  /** Fills `into` from `position`; returns the number of bytes read, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): number
  /** Writes all of `bytes` at `position` or throws DiskError; a throw may leave a prefix written. */
  write(bytes: Uint8Array, position: number): void
  truncate(size: number): void
  /** Durable when it returns: survives power loss. Without it only a process crash is survived. */
  sync(): void
  /**
   * Milliseconds until what was last read, or written and synced, is to be taken for done; 0 when it is, as on every disk that keeps up. A
   * slow disk does not stop the caller, who waits with what follows from it.
   */
  lateMs(what: 'read' | 'write'): number
  close(): void
}

/** A file system. Paths are absolute or relative to wherever the shell roots them, separated by '/'. */
export interface Disk {
  /** 'r' fails with ENOENT when absent; 'rw' creates an empty file. */
  open(path: string, mode: 'r' | 'rw'): DiskFile
  exists(path: string): boolean
  /** Names (not paths) in a directory, sorted. */
  list(path: string): string[]
  isDirectory(path: string): boolean
  /** Creates missing parents; no error when it exists. */
  makeDirectory(path: string): void
  /** Atomic within a directory tree; replaces a file at `to`. */
  rename(from: string, to: string): void
  /** A file or a directory with everything in it; no error when absent. */
  remove(path: string): void
  /** Makes creations, renames and removals in this directory durable. */
  syncDirectory(path: string): void
}

/** One byte stream, accepted or dialled (TCP in the node shell). Callbacks are set once, before the first turn of the loop after creation. */
export interface ByteStream {
  /** For logs and metrics, "127.0.0.1:51334". */
  readonly remote: string
  onData: (chunk: Uint8Array) => void
  /** After `write` returned false: the peer has read enough to take more. */
  onDrain: () => void
  /** Called once, whoever closed. */
  onClose: () => void
  /** Returns false when the peer is slower than we write: stop producing until onDrain. */
  write(chunks: readonly Uint8Array[]): boolean
  /** Stops reading; the peer sees a full window. */
  pause(): void
  resume(): void
  /** Delivers what was written, then closes. */
  end(): void
  /** Closes at once, dropping what is queued. */
  destroy(): void
}

/** Dials a client listener by address; onClose without onData when nobody answers. */
export interface ClientDialer {
  dial(host: string, port: number): ByteStream
}

export type Plane = 'control' | 'replication'

/** A node as the link table knows it: planes are separate links that can be cut separately. */
export interface Peer {
  readonly node: number
  readonly plane: Plane
}

/** Why a peer call gave no answer. UNAVAILABLE and CANCELLED leave open whether the peer acted on it; so does DEADLINE. */
export type PeerErrorCode = 'UNAVAILABLE' | 'DEADLINE' | 'CANCELLED' | 'UNIMPLEMENTED' | 'INTERNAL'

export class PeerError extends Error {
  override readonly name = 'PeerError'
  readonly code: PeerErrorCode
  constructor(code: PeerErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A message that is written where it goes, once: records are not copied on their way into a transport's own buffer. */
export interface OutgoingMessage {
  readonly byteLength: number
  /** Writes all `byteLength` bytes from `at` on. What it reads from must not change until then. */
  copyTo(target: Uint8Array, at: number): void
}

/** One bidirectional message stream. Messages arrive whole, in order, at most once. Callbacks are set before the next turn. */
export interface PeerStream {
  onMessage: (message: Uint8Array) => void
  onDrain: () => void
  /** Called once; `error` is undefined after an orderly end by either side. */
  onClose: (error: PeerError | undefined) => void
  /** False: the peer is slower than we send; stop until onDrain. */
  send(message: OutgoingMessage): boolean
  close(): void
}

export type CallHandler = (body: Uint8Array) => Promise<Uint8Array>
export type StreamHandler = (stream: PeerStream) => void

/** Node-to-node transport. Methods are full names such as "/faultline.Control/BrokerHeartbeat". */
export interface PeerTransport {
  /** Rejects with PeerError. `deadlineMs` bounds the wait, it is not a fault-visible clock. */
  call(peer: Peer, method: string, body: Uint8Array, deadlineMs: number): Promise<Uint8Array>
  openStream(peer: Peer, method: string): PeerStream
  serveCall(plane: Plane, method: string, handler: CallHandler): void
  serveStream(plane: Plane, method: string, handler: StreamHandler): void
}

/** Where a node tells what happened: one structured event. `name` is dotted ("isr.shrink"); fields are plain JSON. */
export type EventFields = Readonly<Record<string, string | number | boolean | null | readonly (string | number)[]>>

export interface EventSink {
  emit(name: string, fields: EventFields): void
  /** What changes too often to be told of has changed: who watches for a state looks again, in this step. */
  changed?(kind: string): void
}

/** A moment, on the wall clock and on the machine's monotonic one. */
export interface Moment {
  readonly t: number
  readonly mono: number
}

/** Where a broker notes what clients asked it and what they heard: one line each, there before the answer leaves, whatever happens next. */
export interface EdgeSink {
  now(): Moment
  write(line: object): void
}
