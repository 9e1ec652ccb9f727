// Values that begin with an int16: the version of what follows, or in keys the type of the record.
import { MalformedError } from '../malformed.ts'
import type { Fields, InputOf, ValueOf } from '../schema/fields.ts'
import { join, type Message } from '../schema/message.ts'
import { Reader } from '../schema/reader.ts'
import { Writer } from '../schema/writer.ts'

const PREFIX_BYTES = 2

export function prefixOf(bytes: Uint8Array, what: string): number {
  const prefix = new Reader(bytes, 0, what).int16('version')
  if (prefix < 0) throw new MalformedError(`${what}: version ${prefix}`)
  return prefix
}

export function encodePrefixed<F extends Fields>(
  message: Message<F>,
  value: InputOf<F>,
  prefix: number,
  version: number,
): Uint8Array {
  const writer = new Writer(`${message.name} v${version}`)
  writer.int16(prefix, 'version')
  message.write(writer, value, version)
  return join(writer.finish())
}

/** The prefix is the version unless one is given. */
export function decodePrefixed<F extends Fields>(
  message: Message<F>,
  bytes: Uint8Array,
  version = prefixOf(bytes, message.name),
): ValueOf<F> {
  if (version < message.minVersion || version > message.maxVersion) {
    throw new MalformedError(`${message.name}: version ${version}, known are ${message.minVersion} to ${message.maxVersion}`)
  }
  return message.read(new Reader(bytes, PREFIX_BYTES, `${message.name} v${version}`), version)
}
