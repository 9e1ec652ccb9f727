// One stream of everything that happens in the cluster: what nodes tell on their management planes, and what the director does itself, in
// the order in which it arrived here. Each node's own events keep their order and times.
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { machineMs } from '@faultline/node'
import { followSocket } from '../json-socket.ts'

export interface ClusterEvent {
  /** Counts from 1 since the director started. */
  readonly seq: number
  /** When it happened, by the wall clock of whom it tells of, in ms. */
  readonly t: number
  /** The same by its monotonic clock, in ms: of all processes on one machine these can be compared, whatever happens to wall clocks. */
  readonly mono: number
  readonly node: string
  readonly event: string
  readonly [field: string]: unknown
}

/** What a late listener can still get. */
const KEPT = 20_000
/** Bytes of a log read at once. */
const PIECE = 1 << 20
/** A node's socket appears a moment after its process. */
const RETRY_MS = 20

export class ClusterEvents {
  readonly #kept: ClusterEvent[] = []
  readonly #listeners = new Set<(event: ClusterEvent) => void>()
  #seq = 0

  /** Of the director itself. */
  emit(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.add({ t: Date.now(), mono: machineMs(), node: 'director', event, ...fields })
  }

  /** Everything after `seq` that is kept, then everything that comes. Returns how to stop. */
  listen(after: number, listener: (event: ClusterEvent) => void): () => void {
    for (const event of this.#kept) if (event.seq > after) listener(event)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Follows a node's process until it ends; `isOver` says that no more of it will come. What it told last, and died before that was sent,
   * is in its `log`, in what was written there since it started.
   */
  follow(socket: string, log: string, isOver: () => boolean): void {
    let told = 0
    const logged = sizeOf(log)
    const connect = () => {
      if (isOver()) {
        for (const line of unheardIn(log, logged, told)) this.add(line)
        return
      }
      // A socket that breaks is followed again: what was heard already is skipped.
      let skip = told
      const onLine = (line: unknown) => {
        if (skip > 0) return void skip--
        told++
        this.add(line as Omit<ClusterEvent, 'seq'>)
      }
      followSocket(socket, { verb: 'events' }, onLine, () => setTimeout(connect, RETRY_MS))
    }
    connect()
  }

  /** Of a node. */
  add(event: Omit<ClusterEvent, 'seq'>): void {
    const numbered = { seq: ++this.#seq, ...event } as ClusterEvent
    this.#kept.push(numbered)
    if (this.#kept.length > KEPT) this.#kept.splice(0, KEPT / 2)
    for (const listener of this.#listeners) listener(numbered)
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0
}

/** The last events after byte `from`, but for the first `heard`, at most `KEPT`. In pieces: a log can be larger than memory should be. */
export function unheardIn(path: string, from: number, heard: number): Omit<ClusterEvent, 'seq'>[] {
  if (!existsSync(path)) return []
  const file = openSync(path, 'r')
  const piece = Buffer.alloc(PIECE)
  const decoder = new TextDecoder()
  let unheard: Omit<ClusterEvent, 'seq'>[] = []
  let skip = heard
  let rest = ''
  const take = (lines: string) => {
    const events = eventsIn(lines)
    unheard = [...unheard, ...events.slice(skip)].slice(-KEPT)
    skip = Math.max(0, skip - events.length)
  }
  try {
    for (let at = from, read = 0; (read = readSync(file, piece, 0, PIECE, at)) > 0; at += read) {
      const text = rest + decoder.decode(piece.subarray(0, read), { stream: true })
      const end = text.lastIndexOf('\n') + 1
      take(text.slice(0, end))
      rest = text.slice(end)
    }
    take(rest)
    return unheard
  } finally {
    closeSync(file)
  }
}

/** Lines that are no events are what a runtime says when it fails. */
export function eventsIn(text: string): Omit<ClusterEvent, 'seq'>[] {
  const lines = text.split('\n')
  return lines.filter((line) => line.startsWith('{"t":')).flatMap((line) => parsed(line))
}

/** The last line may be cut short. */
function parsed(line: string): Omit<ClusterEvent, 'seq'>[] {
  try {
    return [JSON.parse(line) as Omit<ClusterEvent, 'seq'>]
  } catch {
    return []
  }
}
