// The records of the metadata log, and Kafka's frame around each: frame version, type, version as varints, then the body.
import { MalformedError } from '../malformed.ts'
import type { Fields, ValueOf } from '../schema/fields.ts'
import { join } from '../schema/message.ts'
import { Reader } from '../schema/reader.ts'
import { Writer } from '../schema/writer.ts'
import * as brokers from './broker-records.ts'
import * as cluster from './cluster-records.ts'
import type { StoredRecord } from './record.ts'
import * as topics from './topic-records.ts'

const FRAME_VERSION = 1

const DECLARED = [...Object.values(brokers), ...Object.values(topics), ...Object.values(cluster)]
type Declared = (typeof DECLARED)[number]

export type MetadataRecordType = Declared['name']
export type MetadataRecordValue<Type extends MetadataRecordType> =
  Extract<Declared, { name: Type }> extends StoredRecord<Type, infer F> ? ValueOf<F> : never
/** Discriminated by `type`. */
export type MetadataRecord = {
  [Type in MetadataRecordType]: { readonly type: Type; readonly value: MetadataRecordValue<Type> }
}[MetadataRecordType]

export const METADATA_RECORDS: readonly StoredRecord[] = DECLARED

const BY_NAME: ReadonlyMap<string, StoredRecord<MetadataRecordType, Fields>> = new Map(DECLARED.map((it) => [it.name, it]))
const BY_KEY: ReadonlyMap<number, StoredRecord<MetadataRecordType, Fields>> = new Map(DECLARED.map((it) => [it.key, it]))

/** In the newest version of its type unless another is given. */
export function encodeMetadataRecord({ type, value }: MetadataRecord, version?: number): Uint8Array {
  const declared = BY_NAME.get(type)!
  const writer = new Writer(type)
  writer.uvarint(FRAME_VERSION)
  writer.uvarint(declared.key)
  writer.uvarint(version ?? declared.maxVersion)
  declared.write(writer, value, version ?? declared.maxVersion)
  return join(writer.finish())
}

/** Throws MalformedError, also for a type or version that is not known. */
export function decodeMetadataRecord(bytes: Uint8Array): MetadataRecord {
  const reader = new Reader(bytes, 0, 'metadata record')
  const frame = reader.uvarint('frame version')
  if (frame !== FRAME_VERSION) throw new MalformedError(`metadata record: frame version ${frame}`)
  const key = reader.uvarint('type')
  const version = reader.uvarint('version')
  const declared = BY_KEY.get(key)
  if (!declared || version < declared.minVersion || version > declared.maxVersion) {
    throw new MalformedError(`metadata record: type ${key} (${declared?.name ?? 'unknown'}) version ${version}`)
  }
  const value = declared.read(reader, version)
  if (reader.position !== bytes.length)
    throw new MalformedError(`${declared.name}: ${bytes.length - reader.position} bytes too many`)
  return { type: declared.name, value } as MetadataRecord
}
