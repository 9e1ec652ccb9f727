// Kafka's uuids: 16 bytes on the wire, 22 characters of base64url as text (topic ids, directory ids).
import { Buffer } from 'node:buffer'
import { assert } from '@faultline/base'

/** 22 characters of base64url without padding. */
export type Uuid = string

export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA'
/** The id of __cluster_metadata, reserved by KIP-595. */
export const METADATA_TOPIC_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ'

export const UUID_BYTES = 16

export function decodeUuid(bytes: Uint8Array, position = 0): Uuid {
  assert(position + UUID_BYTES <= bytes.length, `a uuid needs ${UUID_BYTES} bytes at ${position}, of ${bytes.length}`)
  return Buffer.from(bytes.buffer, bytes.byteOffset + position, UUID_BYTES).toString('base64url')
}

export function encodeUuid(uuid: Uuid): Uint8Array {
  const bytes = Buffer.from(uuid, 'base64url')
  assert(uuid.length === 22 && bytes.length === UUID_BYTES, `not a uuid: ${uuid}`)
  return bytes
}
