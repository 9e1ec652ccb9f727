// What __consumer_offsets holds for classic groups: keys begin with their type, values with their version, both int16.
import { array, bytes, int32, int64, message, string, uuid } from '../schema/index.ts'
import type { InputOf, ValueOf } from '../schema/fields.ts'
import { decodePrefixed, encodePrefixed, prefixOf } from './prefixed.ts'

export const offsetCommitKey = message(
  'OffsetCommitKey',
  { versions: '0', flexible: 'none' },
  { group: string('0'), topic: string('0'), partition: int32('0') },
)

export const offsetCommitValue = message(
  'OffsetCommitValue',
  { versions: '0-4', flexible: '4+' },
  {
    offset: int64('0+'),
    leaderEpoch: int32('3+', { default: -1, ignorable: true }),
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: int64('1', { default: -1, ignorable: true }),
    topicId: uuid('4+', { tag: 0, ignorable: true }),
  },
)

export const groupMetadataKey = message('GroupMetadataKey', { versions: '0', flexible: 'none' }, { group: string('0') })

const memberMetadata = {
  memberId: string('0+'),
  groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  clientId: string('0+'),
  clientHost: string('0+'),
  rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
  sessionTimeout: int32('0+'),
  subscription: bytes('0+'),
  assignment: bytes('0+'),
}

export const groupMetadataValue = message(
  'GroupMetadataValue',
  { versions: '0-4', flexible: '4+' },
  {
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: string('0+', { nullable: '0+' }),
    leader: string('0+', { nullable: '0+' }),
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: array('0+', memberMetadata),
  },
)

/** Type 0 has the same key with a value that no supported Kafka writes. */
const OFFSET_COMMIT_TYPES = [0, 1]
const OFFSET_COMMIT = 1
const GROUP_METADATA = 2

export type OffsetCommitKey = ValueOf<typeof offsetCommitKey.fields>
export type OffsetCommitValue = ValueOf<typeof offsetCommitValue.fields>
export type GroupMetadataKey = ValueOf<typeof groupMetadataKey.fields>
export type GroupMetadataValue = ValueOf<typeof groupMetadataValue.fields>

export type GroupRecordKey =
  | { readonly type: 'OffsetCommit'; readonly key: OffsetCommitKey }
  | { readonly type: 'GroupMetadata'; readonly key: GroupMetadataKey }
  /** A record of another kind of group, to be left alone. */
  | { readonly type: 'unknown'; readonly code: number }

export function decodeGroupRecordKey(bytes: Uint8Array): GroupRecordKey {
  const code = prefixOf(bytes, 'group record key')
  if (OFFSET_COMMIT_TYPES.includes(code)) return { type: 'OffsetCommit', key: decodePrefixed(offsetCommitKey, bytes, 0) }
  if (code === GROUP_METADATA) return { type: 'GroupMetadata', key: decodePrefixed(groupMetadataKey, bytes, 0) }
  return { type: 'unknown', code }
}

export function encodeOffsetCommitKey(key: OffsetCommitKey): Uint8Array {
  return encodePrefixed(offsetCommitKey, key, OFFSET_COMMIT, 0)
}

export function encodeGroupMetadataKey(key: GroupMetadataKey): Uint8Array {
  return encodePrefixed(groupMetadataKey, key, GROUP_METADATA, 0)
}

export function encodeOffsetCommitValue(value: InputOf<typeof offsetCommitValue.fields>, version = 4): Uint8Array {
  return encodePrefixed(offsetCommitValue, value, version, version)
}

export function decodeOffsetCommitValue(bytes: Uint8Array): OffsetCommitValue {
  return decodePrefixed(offsetCommitValue, bytes)
}

/** Kafka 4.4 knows version 4 and writes 3. */
export function encodeGroupMetadataValue(value: InputOf<typeof groupMetadataValue.fields>, version = 3): Uint8Array {
  return encodePrefixed(groupMetadataValue, value, version, version)
}

export function decodeGroupMetadataValue(bytes: Uint8Array): GroupMetadataValue {
  return decodePrefixed(groupMetadataValue, bytes)
}
