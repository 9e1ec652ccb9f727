import { gzipSync } from 'node:zlib'
import { init as initZstd, compress as zstdCompress, decompress as zstdDecompress } from '@bokuweb/zstd-wasm'
import fc from 'fast-check'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { compressSync as snappyCompress, uncompressSync as snappyUncompress } from 'snappy'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeZstd } from '../src/compression/zstd-decode.ts'
import { encodeZstd } from '../src/compression/zstd-encode.ts'
import { xxhash32 } from '../src/compression/xxhash32.ts'
import { Codec, compress, decompress, MalformedError } from '../src/index.ts'

const LIMIT = 8 << 20
const CODECS = Object.entries(Codec)
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** Data of several kinds: text that repeats, records that resemble each other, noise, runs. */
function samples(): Buffer[] {
  const noise = Buffer.alloc(200_000)
  for (let i = 0, x = 1; i < noise.length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) | 0
    noise[i] = x >>> 16
  }
  const orders = Array.from(
    { length: 4000 },
    (_, i) => `{"id":${i},"user":"user-${(i * 7919) % 1000}","amount":${(i * 31337) % 10007}}\n`,
  )
  const json = Buffer.from(orders.join(''))
  const short = [0, 1, 3, 4, 5, 12, 13, 17, 31, 32, 60, 61, 64, 300].map((size) => json.subarray(0, size))
  const blocks = [65535, 65536, 65537, 131072, 131073].map((size) => json.subarray(0, size))
  return [
    ...short,
    ...blocks,
    json,
    noise,
    Buffer.alloc(300_000),
    Buffer.concat([noise, noise]),
    Buffer.concat([json, noise, json]),
  ]
}
const SAMPLES = samples()

beforeAll(() => initZstd())

describe('round trips', () => {
  for (const [name, codec] of CODECS) {
    it(name, () => {
      for (const sample of SAMPLES) expect(sample.equals(decompress(codec, compress(codec, sample), LIMIT))).toBe(true)
      const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(Buffer.from('again and again '))))
      fc.assert(
        fc.property(pieces, (it) => {
          const bytes = Buffer.concat(it)
          expect(bytes.equals(decompress(codec, compress(codec, bytes), LIMIT))).toBe(true)
        }),
        { seed: 1 },
      )
    })
  }

  it('zstd without node:zlib', () => {
    for (const sample of SAMPLES) expect(sample.equals(decodeZstd(encodeZstd(sample), LIMIT))).toBe(true)
  })
})

describe('others read what we write', () => {
  it('lz4', () => {
    for (const sample of SAMPLES) expect(sample.equals(decompressFrameSync(Buffer.from(compress(Codec.LZ4, sample))))).toBe(true)
  })

  it('zstd', () => {
    for (const sample of SAMPLES.filter((it) => it.length > 0)) {
      expect(sample.equals(zstdDecompress(encodeZstd(sample)))).toBe(true)
    }
  })

  it('snappy, piece by piece', () => {
    for (const sample of SAMPLES) {
      const framed = Buffer.from(compress(Codec.SNAPPY, sample))
      expect(framed.subarray(0, 16)).toEqual(hex('82534e4150505900 00000001 00000001'))
      const pieces: Buffer[] = []
      for (let at = 16; at < framed.length; at += 4 + framed.readInt32BE(at)) {
        pieces.push(snappyUncompress(framed.subarray(at + 4, at + 4 + framed.readInt32BE(at))) as Buffer)
      }
      expect(sample.equals(Buffer.concat(pieces))).toBe(true)
    }
  })
})

describe('we read what others write', () => {
  it('lz4 with and without checksums', () => {
    for (const sample of SAMPLES) {
      for (const options of [{}, { contentChecksum: true }, { blockChecksums: true }]) {
        expect(sample.equals(decompress(Codec.LZ4, compressFrameSync(sample, options), LIMIT))).toBe(true)
      }
    }
  })

  it('lz4 whose blocks reach back into earlier ones, with a content size', () => {
    const descriptor = hex('48 40 1000000000000000')
    const checksum = (xxhash32(descriptor) >>> 8) & 0xff
    const first = hex('08000080 6162636465666768')
    // A match 8 back of 4, then 4 literals.
    const second = hex('08000000 00 0800 40 65666768')
    const frame = Buffer.concat([hex('04224d18'), descriptor, Buffer.of(checksum), first, second, hex('00000000')])
    expect(text(decompress(Codec.LZ4, frame, LIMIT))).toBe('abcdefghabcdefgh')
  })

  it('snappy, raw as librdkafka and in the framing of Java clients', () => {
    for (const sample of SAMPLES) expect(sample.equals(decompress(Codec.SNAPPY, snappyCompress(sample), LIMIT))).toBe(true)
    const piece = snappyCompress('pieces')
    const size = Buffer.alloc(4)
    size.writeInt32BE(piece.length)
    const framed = Buffer.concat([hex('82534e4150505900 00000001 00000001'), size, piece, size, piece])
    expect(text(decompress(Codec.SNAPPY, framed, LIMIT))).toBe('piecespieces')
  })

  it('zstd at all levels', () => {
    for (const sample of SAMPLES) {
      for (const level of [-5, 1, 3, 9, 19]) expect(sample.equals(decodeZstd(zstdCompress(sample, level), LIMIT))).toBe(true)
    }
  })

  it('zstd frames with a window, a checksum, or that are to be skipped', () => {
    // magic, header: checksum and no size, window of 1 KiB; one raw block of 5; checksum (not looked at)
    const frame = hex('28b52ffd 04 00 290000 68656c6c6f 00000000')
    expect(text(decodeZstd(Buffer.concat([frame, hex('502a4d18 03000000 616263'), frame]), LIMIT))).toBe('hellohello')
  })

  it('gzip of several members', () => {
    const members = Buffer.concat([gzipSync('one '), gzipSync('two')])
    expect(text(decompress(Codec.GZIP, members, LIMIT))).toBe('one two')
  })
})

describe('bombs and garbage', () => {
  const zeros = Buffer.alloc(32 << 20)
  const bombs: [string, (limit: number) => Uint8Array][] = [
    ...CODECS.filter(([name]) => name !== 'NONE').map(([name, codec]): [string, (limit: number) => Uint8Array] => {
      const bomb = compress(codec, zeros)
      return [name, (limit) => decompress(codec, bomb, limit)]
    }),
    [
      'zstd of blocks of one repeated byte',
      (limit) =>
        decodeZstd(Buffer.concat([hex('28b52ffd 00 50'), ...Array.from({ length: 1000 }, () => hex('02001000'))]), limit),
    ],
    ['snappy that claims 4 GiB', (limit) => decompress(Codec.SNAPPY, hex('ffffffff0f 00 61'), limit)],
  ]
  for (const [name, open] of bombs) {
    it(`${name} stops at the limit`, () => {
      expect(() => open(1 << 20)).toThrow(MalformedError)
    })
  }

  it('takes what is exactly as large as the limit', () => {
    for (const [, codec] of CODECS) {
      const bytes = compress(codec, Buffer.alloc(5000, 7))
      expect(decompress(codec, bytes, 5000).length).toBe(5000)
      if (codec !== Codec.NONE) expect(() => decompress(codec, bytes, 4999)).toThrow(MalformedError)
    }
  })

  const decoders: [string, (bytes: Uint8Array) => Uint8Array, (bytes: Uint8Array) => Uint8Array][] = [
    ...CODECS.slice(1).map(([name, codec]): (typeof decoders)[number] => [
      name,
      (bytes) => compress(codec, bytes),
      (bytes) => decompress(codec, bytes, 1 << 20),
    ]),
    ['zstd of another', (bytes) => zstdCompress(Buffer.from(bytes), 9), (bytes) => decodeZstd(bytes, 1 << 20)],
  ]
  for (const [name, encode, decode] of decoders) {
    it(`${name}: damaged or cut, it throws MalformedError or gives bytes within the limit`, () => {
      const whole = encode(SAMPLES.find((it) => it.length > 100_000)!.subarray(0, 3000))
      const decodes = (bytes: Uint8Array) => {
        try {
          expect(decode(bytes).length).toBeLessThanOrEqual(1 << 20)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError)
        }
      }
      for (let cut = 0; cut < whole.length; cut++) decodes(whole.subarray(0, cut))
      const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      fc.assert(
        fc.property(damage, (changes) => {
          const bytes = Buffer.from(whole)
          for (const [at, value] of changes) bytes[at] = value
          decodes(bytes)
        }),
        { seed: 2, numRuns: 1500 },
      )
      fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), decodes), { seed: 3, numRuns: 1000 })
    })
  }
})

describe('xxHash32', () => {
  it('gives the known values', () => {
    expect(xxhash32(Buffer.alloc(0))).toBe(0x02cc5d05)
    expect(xxhash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f)
  })
})
