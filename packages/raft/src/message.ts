// What nodes of a group say to each other, and its wire form: a version byte, a kind byte, then unsigned varints and bytes.
import { assert } from '@faultline/base'
import type { Entry } from './types.ts'

export interface PreVote {
  readonly kind: 'preVote'
  /** The term that the sender would campaign in; nobody moves to it yet. */
  readonly term: number
  readonly lastIndex: number
  readonly lastTerm: number
}
export interface PreVoteReply {
  readonly kind: 'preVoteReply'
  /** Granted: the term asked for. Refused: the term of the refuser. */
  readonly term: number
  readonly granted: boolean
}
export interface Vote {
  readonly kind: 'vote'
  readonly term: number
  readonly lastIndex: number
  readonly lastTerm: number
  /** The leader itself asked for this election (thesis §3.10), so nobody stands by it. */
  readonly transfer: boolean
}
export interface VoteReply {
  readonly kind: 'voteReply'
  readonly term: number
  readonly granted: boolean
}
export interface Append {
  readonly kind: 'append'
  readonly term: number
  readonly prevIndex: number
  readonly prevTerm: number
  readonly commit: number
  readonly entries: readonly Entry[]
}
export interface AppendReply {
  readonly kind: 'appendReply'
  readonly term: number
  readonly accepted: boolean
  /** Accepted: the log is durable and equals the leader's up to here. Refused: the prevIndex that did not fit. */
  readonly index: number
  /** Refused: the last entry at or before prevIndex whose term is not after prevTerm; nothing later can match. */
  readonly hintIndex: number
  readonly hintTerm: number
}
export interface Heartbeat {
  readonly kind: 'heartbeat'
  readonly term: number
  /** Never beyond what the receiver is known to hold. */
  readonly commit: number
  /** The leader's latest round of read confirmations. */
  readonly round: number
}
export interface HeartbeatReply {
  readonly kind: 'heartbeatReply'
  readonly term: number
  readonly round: number
}
/** A piece of a snapshot (§7, figure 13). */
export interface InstallSnapshot {
  readonly kind: 'installSnapshot'
  readonly term: number
  readonly lastIndex: number
  readonly lastTerm: number
  readonly size: number
  readonly offset: number
  readonly data: Uint8Array
}
export interface InstallSnapshotReply {
  readonly kind: 'installSnapshotReply'
  readonly term: number
  readonly lastIndex: number
  /** The piece that is answered. */
  readonly offset: number
  /** The offset that the receiver wants next. */
  readonly nextOffset: number
}
/** Campaign now, without a pre-vote (thesis §3.10). */
export interface TimeoutNow {
  readonly kind: 'timeoutNow'
  readonly term: number
}

export type Message =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Append
  | AppendReply
  | Heartbeat
  | HeartbeatReply
  | InstallSnapshot
  | InstallSnapshotReply
  | TimeoutNow

/** Position in this list is the kind byte: append only. */
const KINDS: readonly Message['kind'][] = [
  'preVote',
  'preVoteReply',
  'vote',
  'voteReply',
  'append',
  'appendReply',
  'heartbeat',
  'heartbeatReply',
  'installSnapshot',
  'installSnapshotReply',
  'timeoutNow',
]
const VERSION = 1

/** Bytes that are not a message of this version. An answer to bad input, never a mistake of ours. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage'
}

class Writer {
  #bytes = new Uint8Array(64)
  #length = 0

  reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  byte(value: number): void {
    this.reserve(1)
    this.#bytes[this.#length++] = value
  }

  uint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `${value} in a message`)
    this.reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  bytes(value: Uint8Array): void {
    this.uint(value.length)
    this.reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    const value = this.#bytes[this.#at++]
    if (value === undefined) throw new MalformedMessage('cut short')
    return value
  }

  uint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (value > Number.MAX_SAFE_INTEGER) throw new MalformedMessage('number out of range')
      if (byte < 0x80) return value
      scale *= 0x80
    }
  }

  bool(): boolean {
    const value = this.byte()
    if (value > 1) throw new MalformedMessage(`${value} is no truth value`)
    return value === 1
  }

  /** A copy, as what is kept of a message must not hold on to the buffer it came in. (`slice` of a Buffer would not copy.) */
  bytes(): Uint8Array {
    const length = this.uint()
    if (length > this.#bytes.length - this.#at) throw new MalformedMessage('cut short')
    this.#at += length
    return new Uint8Array(this.#bytes.subarray(this.#at - length, this.#at))
  }

  entries(after: number, termLimit: number): Entry[] {
    const count = this.uint()
    // Two bytes an entry at least, so that a count alone cannot make us allocate.
    if (count > (this.#bytes.length - this.#at) / 2) throw new MalformedMessage(`${count} entries in too few bytes`)
    if (after + count > Number.MAX_SAFE_INTEGER) throw new MalformedMessage('number out of range')
    const entries: Entry[] = []
    for (let i = 1; i <= count; i++) {
      const term = this.uint()
      if (term === 0 || term > termLimit) throw new MalformedMessage(`entry of term ${term} in a message of term ${termLimit}`)
      entries.push({ index: after + i, term, data: this.bytes() })
    }
    return entries
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new MalformedMessage(`${this.#bytes.length - this.#at} bytes too many`)
  }
}

export function encodeMessage(message: Message): Uint8Array {
  const to = new Writer()
  to.byte(VERSION)
  to.byte(KINDS.indexOf(message.kind))
  to.uint(message.term)
  encodeBody(to, message)
  return to.finish()
}

function encodeBody(to: Writer, m: Message): void {
  switch (m.kind) {
    case 'preVote':
      to.uint(m.lastIndex)
      return to.uint(m.lastTerm)
    case 'vote':
      to.uint(m.lastIndex)
      to.uint(m.lastTerm)
      return to.byte(m.transfer ? 1 : 0)
    case 'preVoteReply':
    case 'voteReply':
      return to.byte(m.granted ? 1 : 0)
    case 'append':
      return encodeAppend(to, m)
    case 'appendReply':
      to.byte(m.accepted ? 1 : 0)
      to.uint(m.index)
      to.uint(m.hintIndex)
      return to.uint(m.hintTerm)
    case 'heartbeat':
      to.uint(m.commit)
      return to.uint(m.round)
    case 'heartbeatReply':
      return to.uint(m.round)
    case 'installSnapshot':
      to.uint(m.lastIndex)
      to.uint(m.lastTerm)
      to.uint(m.size)
      to.uint(m.offset)
      return to.bytes(m.data)
    case 'installSnapshotReply':
      to.uint(m.lastIndex)
      to.uint(m.offset)
      return to.uint(m.nextOffset)
    case 'timeoutNow':
      return
  }
}

function encodeAppend(to: Writer, m: Append): void {
  to.uint(m.prevIndex)
  to.uint(m.prevTerm)
  to.uint(m.commit)
  to.uint(m.entries.length)
  for (const entry of m.entries) {
    to.uint(entry.term)
    to.bytes(entry.data)
  }
}

/** Throws MalformedMessage. Allocates no more than the bytes given. */
export function decodeMessage(bytes: Uint8Array): Message {
  const from = new Reader(bytes)
  const version = from.byte()
  if (version !== VERSION) throw new MalformedMessage(`version ${version}, expected ${VERSION}`)
  const kindByte = from.byte()
  const kind = KINDS[kindByte]
  if (kind === undefined) throw new MalformedMessage(`unknown kind ${kindByte}`)
  const message = decodeBody(from, kind, from.uint())
  from.end()
  return message
}

function decodeBody(from: Reader, kind: Message['kind'], term: number): Message {
  switch (kind) {
    case 'preVote':
      return { kind, term, lastIndex: from.uint(), lastTerm: from.uint() }
    case 'vote':
      return { kind, term, lastIndex: from.uint(), lastTerm: from.uint(), transfer: from.bool() }
    case 'preVoteReply':
    case 'voteReply':
      return { kind, term, granted: from.bool() }
    case 'append': {
      const [prevIndex, prevTerm, commit] = [from.uint(), from.uint(), from.uint()]
      return { kind, term, prevIndex, prevTerm, commit, entries: from.entries(prevIndex, term) }
    }
    case 'appendReply':
      return { kind, term, accepted: from.bool(), index: from.uint(), hintIndex: from.uint(), hintTerm: from.uint() }
    case 'heartbeat':
      return { kind, term, commit: from.uint(), round: from.uint() }
    case 'heartbeatReply':
      return { kind, term, round: from.uint() }
    case 'installSnapshot': {
      const [lastIndex, lastTerm, size, offset] = [from.uint(), from.uint(), from.uint(), from.uint()]
      const data = from.bytes()
      if (offset + data.length > size) throw new MalformedMessage('a piece beyond the end of its snapshot')
      return { kind, term, lastIndex, lastTerm, size, offset, data }
    }
    case 'installSnapshotReply':
      return { kind, term, lastIndex: from.uint(), offset: from.uint(), nextOffset: from.uint() }
    case 'timeoutNow':
      return { kind, term }
  }
}
