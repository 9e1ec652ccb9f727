// Metadata records of topics and partitions. In a change, null and the defaults mean "as before"; epochs count up at replay.
import { array, int32, int8, string, uuid } from '../schema/index.ts'
import { record } from './record.ts'

export const topicRecord = record(
  2,
  'TopicRecord',
  { versions: '0', flexible: '0+' },
  { name: string('0+'), topicId: uuid('0+') },
)

export const partitionRecord = record(
  3,
  'PartitionRecord',
  { versions: '0-2', flexible: '0+' },
  {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    replicas: array('0+', int32),
    isr: array('0+', int32),
    removingReplicas: array('0+', int32),
    addingReplicas: array('0+', int32),
    leader: int32('0+', { default: -1 }),
    leaderRecoveryState: int8('0+', { tag: 0 }),
    leaderEpoch: int32('0+', { default: -1 }),
    partitionEpoch: int32('0+', { default: -1 }),
    directories: array('1+', uuid),
    eligibleLeaderReplicas: array('2+', int32, { nullable: '2+', tag: 1, default: null }),
    lastKnownElr: array('2+', int32, { nullable: '2+', tag: 2, default: null }),
  },
)

export const partitionChangeRecord = record(
  5,
  'PartitionChangeRecord',
  { versions: '0-2', flexible: '0+' },
  {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    isr: array('0+', int32, { nullable: '0+', tag: 0, default: null }),
    leader: int32('0+', { tag: 1, default: -2 }),
    replicas: array('0+', int32, { nullable: '0+', tag: 2, default: null }),
    removingReplicas: array('0+', int32, { nullable: '0+', tag: 3, default: null }),
    addingReplicas: array('0+', int32, { nullable: '0+', tag: 4, default: null }),
    leaderRecoveryState: int8('0+', { tag: 5, default: -1 }),
    directories: array('1+', uuid, { nullable: '1+', tag: 8, default: null }),
    eligibleLeaderReplicas: array('2+', int32, { nullable: '2+', tag: 6, default: null }),
    lastKnownElr: array('2+', int32, { nullable: '2+', tag: 7, default: null }),
  },
)

export const removeTopicRecord = record(9, 'RemoveTopicRecord', { versions: '0', flexible: '0+' }, { topicId: uuid('0+') })

export const clearElrRecord = record(28, 'ClearElrRecord', { versions: '0', flexible: '0+' }, { topicName: string('0+') })
