// What can happen to the bytes of a frame, its length included, on their way: bits, bytes and lengths are changed, cut out, put in.
import { encodeFrame, encodeRequestHeader } from '@faultline/protocol'
import type { Vocabulary } from './vocabulary.ts'

const LENGTH_BYTES = 4

type Mutation = (words: Vocabulary, frame: Buffer) => Buffer

const MUTATIONS: readonly Mutation[] = [
  function flipBits(words, frame) {
    const bytes = Buffer.from(frame)
    for (let i = words.pick([1, 1, 2, 8]); i > 0; i--) {
      const at = LENGTH_BYTES + words.random.below(bytes.length - LENGTH_BYTES)
      bytes[at]! ^= 1 << words.random.below(8)
    }
    return bytes
  },
  function cutAndCorrectLength(words, frame) {
    return withLength(frame.subarray(0, LENGTH_BYTES + words.random.below(frame.length - LENGTH_BYTES)))
  },
  function insertBytes(words, frame) {
    const at = LENGTH_BYTES + words.random.below(frame.length - LENGTH_BYTES)
    return withLength(Buffer.concat([frame.subarray(0, at), words.random.bytes(1 + words.random.below(8)), frame.subarray(at)]))
  },
  function removeBytes(words, frame) {
    const at = LENGTH_BYTES + words.random.below(frame.length - LENGTH_BYTES)
    return withLength(Buffer.concat([frame.subarray(0, at), frame.subarray(at + 1 + words.random.below(8))]))
  },
  function lieAboutLength(words, frame) {
    const bytes = Buffer.from(frame)
    bytes.writeInt32BE(words.pick([-0x8000_0000, -1, 0, 1, 8, frame.length, 0x7fff_ffff, 200_000_000, 0x1603_0100]), 0)
    return bytes
  },
  function overwriteInteger(words, frame) {
    const bytes = Buffer.from(frame)
    const size = words.pick([2, 4, 8])
    if (bytes.length < LENGTH_BYTES + size) return bytes
    const at = LENGTH_BYTES + words.random.below(bytes.length - LENGTH_BYTES - size + 1)
    const [first, rest] = words.pick([
      [0x7f, 0xff],
      [0x80, 0x00],
      [0xff, 0xff],
      [0x00, 0x00],
      [0x00, 0xff],
    ] as const)
    bytes.fill(rest, at, at + size)
    bytes[at] = first
    return bytes
  },
  function otherApiOrVersion(words, frame) {
    const bytes = Buffer.from(frame)
    if (bytes.length >= LENGTH_BYTES + 4)
      bytes.writeInt16BE(words.random.below(120) - 10, LENGTH_BYTES + 2 * words.random.below(2))
    return bytes
  },
  function appendGarbage(words, frame) {
    return Buffer.concat([frame, words.random.bytes(1 + words.random.below(40))])
  },
  function noFrameAtAll(words) {
    const text = words.pick([
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc',
      'hello',
      '\0\0\0\0',
      '',
    ])
    return Buffer.concat([Buffer.from(text, 'latin1'), words.random.bytes(words.random.below(60))])
  },
  function unknownApi(words) {
    const header = encodeRequestHeader({
      apiKey: words.pick([-1, 4, 5, 6, 7, 99, 1000, 0x7fff, -0x8000]),
      apiVersion: words.pick([0, 1, -1, 0x7fff]),
      correlationId: 1,
      clientId: 'fuzz',
    })
    return Buffer.concat(encodeFrame(header, [words.random.bytes(words.random.below(30))]))
  },
]

export function mutate(words: Vocabulary, frame: Buffer): Buffer {
  return words.pick(MUTATIONS)(words, frame)
}

function withLength(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeInt32BE(copy.length - LENGTH_BYTES, 0)
  return copy
}
