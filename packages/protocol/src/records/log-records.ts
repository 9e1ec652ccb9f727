// What partition logs hold beside the records of applications.
import { array, int16, int32, int64, join, message, uuid } from '../schema/index.ts'
import type { InputOf, ValueOf } from '../schema/fields.ts'
import { decodePrefixed, encodePrefixed, prefixOf } from './prefixed.ts'

export const endTxnMarker = message('EndTxnMarker', { versions: '0', flexible: 'none' }, { coordinatorEpoch: int32('0+') })

const voter = { voterId: int32('0+'), voterDirectoryId: uuid('1+') }

export const leaderChangeMessage = message(
  'LeaderChangeMessage',
  { versions: '0-1', flexible: '0+' },
  { version: int16('0+'), leaderId: int32('0+'), voters: array('0+', voter), grantingVoters: array('0+', voter) },
)

export const abortedTxn = message(
  'AbortedTxn',
  { versions: '0', flexible: 'none' },
  { producerId: int64('0+'), firstOffset: int64('0+'), lastOffset: int64('0+'), lastStableOffset: int64('0+') },
)

export type EndTxnMarker = ValueOf<typeof endTxnMarker.fields>
export type LeaderChangeMessage = ValueOf<typeof leaderChangeMessage.fields>
export type AbortedTxn = ValueOf<typeof abortedTxn.fields>

export function encodeEndTxnMarker(value: EndTxnMarker): Uint8Array {
  return encodePrefixed(endTxnMarker, value, 0, 0)
}

export function decodeEndTxnMarker(bytes: Uint8Array): EndTxnMarker {
  return decodePrefixed(endTxnMarker, bytes)
}

/** An entry of a .txnindex file. */
export function encodeAbortedTxn(value: AbortedTxn): Uint8Array {
  return encodePrefixed(abortedTxn, value, 0, 0)
}

export function decodeAbortedTxn(bytes: Uint8Array): AbortedTxn {
  return decodePrefixed(abortedTxn, bytes)
}

/** Its version is its first field, not a prefix. */
export function encodeLeaderChangeMessage(value: InputOf<typeof leaderChangeMessage.fields>, version = 1): Uint8Array {
  return join(leaderChangeMessage.encode({ ...value, version }, version))
}

export function decodeLeaderChangeMessage(bytes: Uint8Array): LeaderChangeMessage {
  const version = Math.min(prefixOf(bytes, 'LeaderChangeMessage'), leaderChangeMessage.maxVersion)
  return leaderChangeMessage.decode(bytes, version)
}
