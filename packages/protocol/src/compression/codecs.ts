// Compression of record batches, by the codec number in their attributes. Everything here is synchronous and loads nothing when
// it is first used.
import * as zlib from 'node:zlib'
import { assert } from '@faultline/base'
import { MalformedError } from '../malformed.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { decodeZstd } from './zstd-decode.ts'
import { encodeZstd } from './zstd-encode.ts'

export const Codec = { NONE: 0, GZIP: 1, SNAPPY: 2, LZ4: 3, ZSTD: 4 } as const

/** Node has zstd from 22.15 and 23.8 on; the types are those of the oldest Node that we run on. */
interface ZlibZstd {
  readonly zstdCompressSync?: (bytes: Uint8Array) => Uint8Array
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array
}
const { zstdCompressSync, zstdDecompressSync } = zlib as ZlibZstd

export function compress(codec: number, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case Codec.NONE:
      return bytes
    case Codec.GZIP:
      return zlib.gzipSync(bytes)
    case Codec.SNAPPY:
      return compressSnappy(bytes)
    case Codec.LZ4:
      return compressLz4(bytes)
    case Codec.ZSTD:
      return zstdCompressSync ? zstdCompressSync(bytes) : encodeZstd(bytes)
    default:
      return assert(false, `no codec ${codec}`) as never
  }
}

/** Throws MalformedError for what is no compressed data, and for what becomes more than `limitBytes`, at a cost of that much. */
export function decompress(codec: number, bytes: Uint8Array, limitBytes: number): Uint8Array {
  switch (codec) {
    case Codec.NONE:
      return bytes
    case Codec.GZIP:
      return malformedFrom('gzip', () => zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, limitBytes) }))
    case Codec.SNAPPY:
      return decompressSnappy(bytes, limitBytes)
    case Codec.LZ4:
      return decompressLz4(bytes, limitBytes)
    case Codec.ZSTD:
      if (!zstdDecompressSync) return decodeZstd(bytes, limitBytes)
      return malformedFrom('zstd', () => zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, limitBytes) }))
    default:
      throw new MalformedError(`no codec ${codec}`)
  }
}

function malformedFrom(what: string, run: () => Uint8Array): Uint8Array {
  try {
    return run()
  } catch (error) {
    throw new MalformedError(`${what}: ${(error as Error).message}`)
  }
}
