// The wire form: every message comes back as it was, and bytes that are not a message are told apart at once.
import { Prng } from '@faultline/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage, MalformedMessage, type Message } from '../src/index.ts'

const number = fc.maxSafeNat()
const data = fc.uint8Array({ maxLength: 200 })
const term = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })

/** Entries follow on from prevIndex, and none is of a later term than the message. */
const append = fc
  .record({ term, prevIndex: fc.nat(), prevTerm: number, commit: number, blobs: fc.array(data, { maxLength: 20 }) })
  .map(({ term: of, prevIndex, prevTerm, commit, blobs }): Message => ({
    kind: 'append',
    term: of,
    prevIndex,
    prevTerm,
    commit,
    entries: blobs.map((blob, i) => ({ index: prevIndex + i + 1, term: Math.max(1, of - blob.length), data: blob })),
  }))
const piece = fc
  .record({ term, lastIndex: number, lastTerm: number, offset: fc.nat(), rest: fc.nat(), data })
  .map(({ rest, ...of }): Message => ({ kind: 'installSnapshot', ...of, size: of.offset + of.data.length + rest }))
const kind = <const K extends Message['kind']>(name: K) => fc.constant(name)
const message: fc.Arbitrary<Message> = fc.oneof(
  append,
  piece,
  fc.record({ kind: kind('preVote'), term, lastIndex: number, lastTerm: number }),
  fc.record({ kind: kind('preVoteReply'), term, granted: fc.boolean() }),
  fc.record({ kind: kind('vote'), term, lastIndex: number, lastTerm: number, transfer: fc.boolean() }),
  fc.record({ kind: kind('voteReply'), term, granted: fc.boolean() }),
  fc.record({ kind: kind('appendReply'), term, accepted: fc.boolean(), index: number, hintIndex: number, hintTerm: number }),
  fc.record({ kind: kind('heartbeat'), term, commit: number, round: number }),
  fc.record({ kind: kind('heartbeatReply'), term, round: number }),
  fc.record({ kind: kind('installSnapshotReply'), term, lastIndex: number, offset: number, nextOffset: number }),
  fc.record({ kind: kind('timeoutNow'), term }),
)

/** What decoding gives: a message, or the one error that bad bytes may cause. */
function tryDecode(bytes: Uint8Array): Message | undefined {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedMessage)
    return undefined
  }
}

describe('a message', () => {
  it('comes back as it was', () => {
    fc.assert(fc.property(message, (sent) => void expect(decodeMessage(encodeMessage(sent))).toEqual(sent)))
  })

  it('is not one any more when it is cut short or has bytes too many', () => {
    fc.assert(
      fc.property(message, fc.nat(), (sent, cut) => {
        const bytes = encodeMessage(sent)
        expect(tryDecode(bytes.subarray(0, cut % bytes.length))).toBeUndefined()
        expect(tryDecode(new Uint8Array([...bytes, 0]))).toBeUndefined()
      }),
    )
  })

  it('does not hold on to the buffer that it came in', () => {
    const bytes = Buffer.from(
      encodeMessage({
        kind: 'append',
        term: 1,
        prevIndex: 0,
        prevTerm: 0,
        commit: 0,
        entries: [{ index: 1, term: 1, data: new Uint8Array([7]) }],
      }),
    )
    const decoded = decodeMessage(bytes)
    bytes.fill(0)
    expect(decoded).toMatchObject({ entries: [{ data: new Uint8Array([7]) }] })
  })
})

describe('garbage', () => {
  it('is refused, whatever it is', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void tryDecode(bytes)))
  })

  it('with one bit flipped is refused or another message, never anything else', () => {
    const random = new Prng(9)
    fc.assert(
      fc.property(message, (sent) => {
        const bytes = encodeMessage(sent).slice()
        bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
        tryDecode(bytes)
      }),
    )
  })

  it('does not make us allocate what it claims to hold', () => {
    // version, append, term 1, prevIndex 0, prevTerm 0, commit 0, then a count of 2^42 entries
    expect(() => decodeMessage(new Uint8Array([1, 4, 1, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]))).toThrow(
      'too few bytes',
    )
    // a piece of a snapshot that claims 2^42 bytes of data
    expect(() => decodeMessage(new Uint8Array([1, 8, 1, 1, 1, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]))).toThrow('cut short')
  })

  it('of another version says so', () => {
    expect(() => decodeMessage(new Uint8Array([2, 10, 1]))).toThrow('version 2, expected 1')
  })
})
