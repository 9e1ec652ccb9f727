// What __consumer_offsets holds of consumer groups (KIP-848): the group, its members, what they are to have, what they have, and the topics
// of their regular expressions. A record's key says its type.
import { array, bytes, int32, int64, int8, message, string, struct, uuid } from '../schema/index.ts'
import type { Fields, InputOf, ValueOf } from '../schema/fields.ts'
import type { Message } from '../schema/message.ts'
import { decodePrefixed, encodePrefixed, prefixOf } from './prefixed.ts'

const KEY = { versions: '0', flexible: 'none' } as const
const VALUE = { versions: '0', flexible: '0+' } as const
const VERSION = 0

const ofGroup = { groupId: string('0') }
const ofMember = { groupId: string('0'), memberId: string('0') }

const partitionMetadata = { partition: int32('0+'), racks: array('0+', string) }
const topicMetadata = {
  topicId: uuid('0+'),
  topicName: string('0+'),
  numPartitions: int32('0+'),
  partitionMetadata: array('0+', partitionMetadata),
}

const classicMemberMetadata = {
  sessionTimeoutMs: int32('0+'),
  supportedProtocols: array('0+', { name: string('0+'), metadata: bytes('0+') }),
}

const ownedPartitions = {
  topicId: uuid('0+'),
  partitions: array('0+', int32),
  assignmentEpochs: array('0+', int32, { nullable: '0+', tag: 0 }),
}

/** By type: its number, key and value. */
export const CONSUMER_GROUP_RECORDS = {
  ConsumerGroupMetadata: {
    code: 3,
    key: message('ConsumerGroupMetadataKey', KEY, ofGroup),
    value: message('ConsumerGroupMetadataValue', VALUE, { epoch: int32('0+'), metadataHash: int64('0+', { tag: 0 }) }),
  },
  /** Up to Kafka 4.0; since then there is a hash in the group's own record (KIP-1101). */
  ConsumerGroupPartitionMetadata: {
    code: 4,
    key: message('ConsumerGroupPartitionMetadataKey', KEY, ofGroup),
    value: message('ConsumerGroupPartitionMetadataValue', VALUE, { topics: array('0+', topicMetadata) }),
  },
  ConsumerGroupMemberMetadata: {
    code: 5,
    key: message('ConsumerGroupMemberMetadataKey', KEY, ofMember),
    value: message('ConsumerGroupMemberMetadataValue', VALUE, {
      instanceId: string('0+', { nullable: '0+' }),
      rackId: string('0+', { nullable: '0+' }),
      clientId: string('0+'),
      clientHost: string('0+'),
      subscribedTopicNames: array('0+', string),
      subscribedTopicRegex: string('0+', { nullable: '0+' }),
      rebalanceTimeoutMs: int32('0+', { default: -1 }),
      serverAssignor: string('0+', { nullable: '0+' }),
      classicMemberMetadata: struct('0+', classicMemberMetadata, { nullable: '0+', tag: 0 }),
    }),
  },
  ConsumerGroupTargetAssignmentMetadata: {
    code: 6,
    key: message('ConsumerGroupTargetAssignmentMetadataKey', KEY, ofGroup),
    value: message('ConsumerGroupTargetAssignmentMetadataValue', VALUE, {
      assignmentEpoch: int32('0+'),
      assignmentTimestamp: int64('0+', { tag: 0, ignorable: true }),
    }),
  },
  ConsumerGroupTargetAssignmentMember: {
    code: 7,
    key: message('ConsumerGroupTargetAssignmentMemberKey', KEY, ofMember),
    value: message('ConsumerGroupTargetAssignmentMemberValue', VALUE, {
      topicPartitions: array('0+', { topicId: uuid('0+'), partitions: array('0+', int32) }),
    }),
  },
  ConsumerGroupCurrentMemberAssignment: {
    code: 8,
    key: message('ConsumerGroupCurrentMemberAssignmentKey', KEY, ofMember),
    value: message('ConsumerGroupCurrentMemberAssignmentValue', VALUE, {
      memberEpoch: int32('0+'),
      previousMemberEpoch: int32('0+'),
      state: int8('0+'),
      assignedPartitions: array('0+', ownedPartitions),
      partitionsPendingRevocation: array('0+', ownedPartitions),
    }),
  },
  ConsumerGroupRegularExpression: {
    code: 16,
    key: message('ConsumerGroupRegularExpressionKey', KEY, { groupId: string('0'), regularExpression: string('0') }),
    value: message('ConsumerGroupRegularExpressionValue', VALUE, {
      topics: array('0+', string),
      version: int64('0+'),
      timestamp: int64('0+'),
    }),
  },
} as const

type Records = typeof CONSUMER_GROUP_RECORDS
export type ConsumerGroupRecordType = keyof Records
type FieldsOf<M> = M extends Message<infer F> ? F : never
export type ConsumerGroupKey<T extends ConsumerGroupRecordType> = ValueOf<FieldsOf<Records[T]['key']>>
export type ConsumerGroupValue<T extends ConsumerGroupRecordType> = ValueOf<FieldsOf<Records[T]['value']>>

/** Discriminated by `type`. A value of null is a tombstone. */
export type ConsumerGroupRecord = {
  [T in ConsumerGroupRecordType]: {
    readonly type: T
    readonly key: ConsumerGroupKey<T>
    readonly value: ConsumerGroupValue<T> | null
  }
}[ConsumerGroupRecordType]

const BY_CODE = new Map(Object.entries(CONSUMER_GROUP_RECORDS).map(([type, declared]) => [declared.code as number, type]))

export function encodeConsumerGroupRecord<T extends ConsumerGroupRecordType>(
  type: T,
  key: InputOf<FieldsOf<Records[T]['key']>>,
  value: InputOf<FieldsOf<Records[T]['value']>> | null,
): { key: Uint8Array; value: Uint8Array | null } {
  const declared = CONSUMER_GROUP_RECORDS[type]
  return {
    key: encodePrefixed(declared.key as Message<Fields>, key as InputOf<Fields>, declared.code, VERSION),
    value: value && encodePrefixed(declared.value as Message<Fields>, value as InputOf<Fields>, VERSION, VERSION),
  }
}

/** Undefined for a record of another kind. */
export function decodeConsumerGroupRecord(key: Uint8Array, value: Uint8Array | null): ConsumerGroupRecord | undefined {
  const type = BY_CODE.get(prefixOf(key, 'group record key')) as ConsumerGroupRecordType | undefined
  if (type === undefined) return undefined
  const declared = CONSUMER_GROUP_RECORDS[type]
  return {
    type,
    key: decodePrefixed(declared.key as Message<Fields>, key, VERSION),
    value: value && decodePrefixed(declared.value as Message<Fields>, value),
  } as ConsumerGroupRecord
}
