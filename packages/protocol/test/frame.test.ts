import { describe, expect, it } from 'vitest'
import {
  decodeCorrelationId,
  decodeRequestHeader,
  decodeResponseHeader,
  encodeFrame,
  encodeRequestHeader,
  encodeResponseHeader,
  FrameParser,
  join,
  MalformedError,
} from '../src/index.ts'

function frame(content: Uint8Array): Uint8Array {
  return join(encodeFrame([], [content]))
}

function framesOf(parser: FrameParser, ...chunks: Uint8Array[]): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (const chunk of chunks) parser.push(chunk, (it) => frames.push(it))
  return frames
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const CONTENTS = [new Uint8Array(0), Uint8Array.from([1, 2, 3]), new Uint8Array(3000).fill(9), Uint8Array.from([7])]
const STREAM = join(CONTENTS.map(frame))

describe('FrameParser', () => {
  it('survives a cut at any byte', () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      const parser = new FrameParser(10_000)
      const frames = framesOf(parser, STREAM.subarray(0, cut), STREAM.subarray(cut))
      expect(frames.map(hex)).toEqual(CONTENTS.map(hex))
      expect(parser.buffered).toBe(0)
    }
  })

  it('survives chunks of every small size', () => {
    for (let size = 1; size < 40; size++) {
      const parser = new FrameParser(10_000)
      const frames: Uint8Array[] = []
      for (let at = 0; at < STREAM.length; at += size) frames.push(...framesOf(parser, STREAM.slice(at, at + size)))
      expect(frames.map((it) => it.length)).toEqual(CONTENTS.map((it) => it.length))
    }
  })

  it('gives views of a chunk that holds whole frames', () => {
    for (const it of framesOf(new FrameParser(10_000), STREAM)) expect(it.buffer).toBe(STREAM.buffer)
  })

  it('refuses lengths below 0 and above the limit, wherever the cut is', () => {
    for (const length of [-1, -2147483648, 101, 0x47455420]) {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32BE(length)
      expect(() => framesOf(new FrameParser(100), bytes)).toThrow(MalformedError)
      const parser = new FrameParser(100)
      framesOf(parser, bytes.subarray(0, 3))
      expect(() => framesOf(parser, bytes.subarray(3))).toThrow(MalformedError)
    }
  })

  it('hands out the frames that come before a bad length', () => {
    const frames: Uint8Array[] = []
    const parser = new FrameParser(100)
    const bytes = Uint8Array.from([0, 0, 0, 1, 5, 0x7f, 0, 0, 0])
    expect(() => parser.push(bytes, (it) => frames.push(it))).toThrow(MalformedError)
    expect(frames.map(hex)).toEqual(['05'])
  })

  it('holds only what has come of a large frame', () => {
    const parser = new FrameParser(100 << 20)
    const before = process.memoryUsage().arrayBuffers
    const announced = Buffer.alloc(10)
    announced.writeInt32BE(100 << 20)
    framesOf(parser, announced)
    expect(parser.buffered).toBe(10)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
  })

  it('takes a frame of 100 MiB in chunks of 64 KiB without copying it over and over', () => {
    const parser = new FrameParser(100 << 20)
    const length = Buffer.alloc(4)
    length.writeInt32BE(100 << 20)
    framesOf(parser, length)
    const chunk = Buffer.alloc(64 << 10, 1)
    const started = performance.now()
    let frames: Uint8Array[] = []
    for (let i = 0; i < 1600; i++) frames = framesOf(parser, chunk)
    expect(frames[0]?.length).toBe(100 << 20)
    expect(performance.now() - started).toBeLessThan(3000)
  })
})

describe('headers', () => {
  it('has tagged fields in flexible versions only', () => {
    const header = { apiKey: 3, apiVersion: 8, correlationId: 5, clientId: 'c' }
    expect([...join(encodeRequestHeader(header))]).toEqual([0, 3, 0, 8, 0, 0, 0, 5, 0, 1, 99])
    expect([...join(encodeRequestHeader({ ...header, apiVersion: 9 }))]).toEqual([0, 3, 0, 9, 0, 0, 0, 5, 0, 1, 99, 0])
    expect(decodeRequestHeader(join(encodeRequestHeader(header)))).toEqual({ ...header, bodyOffset: 11 })
    expect(decodeRequestHeader(Uint8Array.from([0, 3, 0, 9, 0, 0, 0, 5, 255, 255, 1, 9, 1, 0, 77]))).toEqual({
      apiKey: 3,
      apiVersion: 9,
      correlationId: 5,
      clientId: null,
      bodyOffset: 14,
    })
  })

  it('answers ApiVersions with response header 0 in every version', () => {
    expect([...join(encodeResponseHeader(18, 4, 7))]).toEqual([0, 0, 0, 7])
    expect([...join(encodeResponseHeader(3, 9, 7))]).toEqual([0, 0, 0, 7, 0])
    expect(decodeResponseHeader(Uint8Array.from([0, 0, 0, 7, 0]), 3, 9)).toEqual({ correlationId: 7, bodyOffset: 5 })
    expect(decodeResponseHeader(Uint8Array.from([0, 0, 0, 7, 0]), 18, 4)).toEqual({ correlationId: 7, bodyOffset: 4 })
    expect(decodeCorrelationId(Uint8Array.from([0, 0, 1, 7]))).toBe(263)
  })

  it('reads the header of versions and APIs that nobody has', () => {
    expect(decodeRequestHeader(Uint8Array.from([0, 18, 0, 99, 0, 0, 0, 5, 0, 0, 0])).apiVersion).toBe(99)
    expect(decodeRequestHeader(Uint8Array.from([3, 18, 0, 99, 0, 0, 0, 5, 0, 0, 0])).apiKey).toBe(786)
  })

  it('throws MalformedError for a header cut short', () => {
    const header = join(encodeRequestHeader({ apiKey: 3, apiVersion: 9, correlationId: 5, clientId: 'client' }))
    for (let cut = 0; cut < header.length; cut++) {
      expect(() => decodeRequestHeader(header.subarray(0, cut))).toThrow(MalformedError)
    }
  })
})

describe('encodeFrame', () => {
  it('passes large chunks through and merges small ones at the front', () => {
    const large = new Uint8Array(5000)
    const chunks = encodeFrame([Uint8Array.of(1), Uint8Array.of(2)], [Uint8Array.of(3), large, Uint8Array.of(4)])
    expect([...chunks[0]!]).toEqual([0, 0, 0x13, 0x8c, 1, 2, 3])
    expect(chunks[1]).toBe(large)
    expect(chunks.length).toBe(3)
  })
})
