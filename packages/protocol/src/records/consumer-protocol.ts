// What members of a classic consumer group tell each other inside JoinGroup and SyncGroup. Opaque to a broker.
import { array, bytes, int32, message, string } from '../schema/index.ts'
import type { InputOf, ValueOf } from '../schema/fields.ts'
import { decodePrefixed, encodePrefixed, prefixOf } from './prefixed.ts'

export const consumerProtocolSubscription = message(
  'ConsumerProtocolSubscription',
  { versions: '0-3', flexible: 'none' },
  {
    topics: array('0+', string),
    userData: bytes('0+', { nullable: '0+', default: null }),
    ownedPartitions: array('1+', { topic: string('1+'), partitions: array('1+', int32) }, { ignorable: true }),
    generationId: int32('2+', { default: -1, ignorable: true }),
    rackId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  },
)

export const consumerProtocolAssignment = message(
  'ConsumerProtocolAssignment',
  { versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: array('0+', { topic: string('0+'), partitions: array('0+', int32) }),
    userData: bytes('0+', { nullable: '0+', default: null }),
  },
)

export type ConsumerProtocolSubscription = ValueOf<typeof consumerProtocolSubscription.fields>
export type ConsumerProtocolAssignment = ValueOf<typeof consumerProtocolAssignment.fields>

export function encodeSubscription(value: InputOf<typeof consumerProtocolSubscription.fields>, version = 3): Uint8Array {
  return encodePrefixed(consumerProtocolSubscription, value, version, version)
}

/** Newer versions only append, and are read as the newest known. */
export function decodeSubscription(bytes: Uint8Array): ConsumerProtocolSubscription {
  const version = Math.min(prefixOf(bytes, 'subscription'), consumerProtocolSubscription.maxVersion)
  return decodePrefixed(consumerProtocolSubscription, bytes, version)
}

export function encodeAssignment(value: InputOf<typeof consumerProtocolAssignment.fields>, version = 3): Uint8Array {
  return encodePrefixed(consumerProtocolAssignment, value, version, version)
}

/** Newer versions only append, and are read as the newest known. */
export function decodeAssignment(bytes: Uint8Array): ConsumerProtocolAssignment {
  const version = Math.min(prefixOf(bytes, 'assignment'), consumerProtocolAssignment.maxVersion)
  return decodePrefixed(consumerProtocolAssignment, bytes, version)
}
