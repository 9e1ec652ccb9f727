// Every message that this package declares, for tests that hold for all of them.
import {
  abortedTxn,
  APIS,
  CONSUMER_GROUP_RECORDS,
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  endTxnMarker,
  groupMetadataKey,
  groupMetadataValue,
  leaderChangeMessage,
  type Message,
  METADATA_RECORDS,
  offsetCommitKey,
  offsetCommitValue,
  transactionLogKey,
  transactionLogValue,
} from '../src/index.ts'

export const DECLARED: readonly Message[] = [
  ...APIS.flatMap((api) => [api.request, api.response]),
  ...METADATA_RECORDS,
  offsetCommitKey,
  offsetCommitValue,
  groupMetadataKey,
  groupMetadataValue,
  transactionLogKey,
  transactionLogValue,
  ...Object.values(CONSUMER_GROUP_RECORDS).flatMap(({ key, value }): Message[] => [key, value]),
  consumerProtocolSubscription,
  consumerProtocolAssignment,
  endTxnMarker,
  leaderChangeMessage,
  abortedTxn,
]

export function versionsOf(message: Message): number[] {
  return Array.from({ length: message.maxVersion - message.minVersion + 1 }, (_, i) => message.minVersion + i)
}
