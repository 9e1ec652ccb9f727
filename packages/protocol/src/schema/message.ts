// A declared message: compiled per version when that version is first used.
import { Buffer } from 'node:buffer'
import { assert } from '@faultline/base'
import { compileDecoder, type Decode } from './compile-decoder.ts'
import { compileEncoder, type Encode } from './compile-encoder.ts'
import type { Fields, InputOf, ValueOf } from './fields.ts'
import { layoutOf } from './layout.ts'
import { Reader } from './reader.ts'
import { contains, parseVersions, type VersionRange } from './versions.ts'
import { Writer } from './writer.ts'

export interface Message<F extends Fields = Fields> {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  readonly flexible: VersionRange
  readonly fields: F
  /** Chunks; `bytes` and `records` of 1 KiB and more are among them as they were given. */
  encode(value: InputOf<F>, version: number): Uint8Array[]
  /** Throws MalformedError. `bytes` and `records` are views of the input. What follows is left alone, as Kafka does. */
  decode(bytes: Uint8Array, version: number): ValueOf<F>
  /** As encode and decode, inside something larger. */
  write(writer: Writer, value: InputOf<F>, version: number): void
  read(reader: Reader, version: number): ValueOf<F>
}

export interface Versions {
  readonly versions: string
  readonly flexible: string
}

export function message<const F extends Fields>(name: string, { versions, flexible }: Versions, fields: F): Message<F> {
  const valid = parseVersions(versions)
  const flexibleVersions = parseVersions(flexible)
  const encoders = new Map<number, Encode>()
  const decoders = new Map<number, Decode>()

  function layout(version: number) {
    assert(contains(valid, version), `${name} has versions ${versions}, not ${version}`)
    return layoutOf(fields, version, contains(flexibleVersions, version))
  }

  function write(writer: Writer, value: InputOf<F>, version: number): void {
    let encode = encoders.get(version)
    if (encode === undefined) encoders.set(version, (encode = compileEncoder(layout(version))))
    encode(writer, value)
  }

  function read(reader: Reader, version: number): ValueOf<F> {
    let decode = decoders.get(version)
    if (decode === undefined) decoders.set(version, (decode = compileDecoder(layout(version))))
    return decode(reader) as ValueOf<F>
  }

  return {
    name,
    minVersion: valid.min,
    maxVersion: valid.max,
    flexible: flexibleVersions,
    fields,
    write,
    read,
    encode(value, version) {
      const writer = new Writer(`${name} v${version}`)
      write(writer, value, version)
      return writer.finish()
    },
    decode: (bytes, version) => read(new Reader(bytes, 0, `${name} v${version}`), version),
  }
}

/** One request and its response, with the versions that both have. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** Also for versions that we do not have: a header must be read before its version can be refused. */
  isFlexible(version: number): boolean
  readonly request: Message<Request>
  readonly response: Message<Response>
}

export function api<const Request extends Fields, const Response extends Fields>(
  key: number,
  name: string,
  versions: Versions,
  { request, response }: { readonly request: Request; readonly response: Response },
): Api<Request, Response> {
  const declared = message(`${name}Request`, versions, request)
  return {
    key,
    name,
    minVersion: declared.minVersion,
    maxVersion: declared.maxVersion,
    isFlexible: (version) => contains(declared.flexible, version),
    request: declared,
    response: message(`${name}Response`, versions, response),
  }
}

/** What decoding gives. */
export type RequestOf<A extends Api> = ReturnType<A['request']['decode']>
export type ResponseOf<A extends Api> = ReturnType<A['response']['decode']>
/** What encoding takes. */
export type RequestInput<A extends Api> = Parameters<A['request']['encode']>[0]
export type ResponseInput<A extends Api> = Parameters<A['response']['encode']>[0]

/** Joins the chunks of an encoder, for where one piece is needed. */
export function join(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}
