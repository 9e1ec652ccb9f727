// The configuration of one partition's log, from the topic's effective configurations.
import { type ClusterImage, listItems, serverFlag, serverNumber, type StaticConfigs, topicConfig } from '@faultline/controller'
import type { CompressionType, LogConfig } from '@faultline/log'

export function logConfigOf(image: ClusterImage, statics: StaticConfigs, topic: string): LogConfig {
  const text = (name: string) => topicConfig(image, statics, topic, name)
  const number = (name: string) => Number(text(name))
  const policy = listItems(text('cleanup.policy'))
  return {
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    segmentIndexBytes: number('segment.index.bytes'),
    indexIntervalBytes: number('index.interval.bytes'),
    maxMessageBytes: number('max.message.bytes'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    flushMessages: number('flush.messages'),
    flushMs: number('flush.ms'),
    timestampType: text('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    timestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    compact: policy.includes('compact'),
    delete: policy.includes('delete'),
    compressionType: text('compression.type') as CompressionType,
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    producerIdExpirationMs: serverNumber(statics, 'producer.id.expiration.ms'),
    verifyTransactions: serverFlag(statics, 'transaction.partition.verification.enable'),
  }
}
