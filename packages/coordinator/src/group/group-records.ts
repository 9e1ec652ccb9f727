// The records of groups as they are written: Kafka's keys and values, built from what a planner knows.
import {
  encodeGroupMetadataKey,
  encodeGroupMetadataValue,
  encodeOffsetCommitKey,
  encodeOffsetCommitValue,
  type GroupMetadataValue,
  ZERO_UUID,
} from '@faultline/protocol'
import type { CoordinatorRecord } from '../runtime/ports.ts'
import type { CommittedOffset } from './committed-offsets.ts'

export function groupRecord(groupId: string, value: GroupMetadataValue): CoordinatorRecord {
  return { key: encodeGroupMetadataKey({ group: groupId }), value: encodeGroupMetadataValue(value) }
}

export function emptyGroup(protocolType: string, generation: number, now: number): GroupMetadataValue {
  return { protocolType, generation, protocol: null, leader: null, currentStateTimestamp: now, members: [] }
}

export function groupTombstone(groupId: string): CoordinatorRecord {
  return { key: encodeGroupMetadataKey({ group: groupId }), value: null }
}

export function offsetRecord(group: string, topic: string, partition: number, committed: CommittedOffset): CoordinatorRecord {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, topicId } = committed
  const value = { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, topicId }
  // Only version 1 knows a time at which the offset expires; it knows no leader epoch.
  const encoded =
    expireTimestamp >= 0
      ? encodeOffsetCommitValue({ ...value, topicId: ZERO_UUID }, 1)
      : encodeOffsetCommitValue({ ...value, expireTimestamp: -1 }, 4)
  return { key: encodeOffsetCommitKey({ group, topic, partition }), value: encoded }
}

export function offsetTombstone(group: string, topic: string, partition: number): CoordinatorRecord {
  return { key: encodeOffsetCommitKey({ group, topic, partition }), value: null }
}
