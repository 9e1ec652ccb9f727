// The topic configurations of Kafka 4.4: types, defaults, bounds, and the broker configuration that gives a topic its default.
import type { ConfigDefinition, ConfigTypeName } from './config-type.ts'

export interface TopicConfigDefinition extends ConfigDefinition {
  /** The broker configuration whose value is the default for topics; null where there is none. */
  readonly brokerSynonym: string | null
}

const LONG_MAX = '9223372036854775807'

function define(
  name: string,
  type: ConfigTypeName,
  value: string,
  brokerSynonym: string | null,
  bounds: { min?: number; max?: number; values?: readonly string[] } = {},
): TopicConfigDefinition {
  return { name, type, default: value, brokerSynonym, ...bounds }
}

const DEFINITIONS: readonly TopicConfigDefinition[] = [
  define('cleanup.policy', 'LIST', 'delete', 'log.cleanup.policy', { values: ['compact', 'delete'] }),
  define('compression.gzip.level', 'INT', '-1', 'compression.gzip.level', { min: -1, max: 9 }),
  define('compression.lz4.level', 'INT', '9', 'compression.lz4.level', { min: 1, max: 17 }),
  define('compression.type', 'STRING', 'producer', 'compression.type', {
    values: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
  }),
  define('compression.zstd.level', 'INT', '3', 'compression.zstd.level', { min: -131072, max: 22 }),
  define('delete.retention.ms', 'LONG', '86400000', 'log.cleaner.delete.retention.ms', { min: 0 }),
  define('errors.deadletterqueue.group.enable', 'BOOLEAN', 'false', null),
  define('file.delete.delay.ms', 'LONG', '60000', 'log.segment.delete.delay.ms', { min: 0 }),
  define('flush.messages', 'LONG', LONG_MAX, 'log.flush.interval.messages', { min: 1 }),
  define('flush.ms', 'LONG', LONG_MAX, 'log.flush.interval.ms', { min: 0 }),
  define('follower.replication.throttled.replicas', 'LIST', '', null),
  define('index.interval.bytes', 'INT', '4096', 'log.index.interval.bytes', { min: 0 }),
  define('leader.replication.throttled.replicas', 'LIST', '', null),
  define('local.retention.bytes', 'LONG', '-2', 'log.local.retention.bytes', { min: -2 }),
  define('local.retention.ms', 'LONG', '-2', 'log.local.retention.ms', { min: -2 }),
  define('max.compaction.lag.ms', 'LONG', LONG_MAX, 'log.cleaner.max.compaction.lag.ms', { min: 1 }),
  define('max.decompressed.message.bytes', 'INT', '2147483639', 'max.decompressed.message.bytes', { min: 0 }),
  define('max.message.bytes', 'INT', '1048588', 'message.max.bytes', { min: 0 }),
  define('message.timestamp.after.max.ms', 'LONG', '3600000', 'log.message.timestamp.after.max.ms', { min: 0 }),
  define('message.timestamp.before.max.ms', 'LONG', LONG_MAX, 'log.message.timestamp.before.max.ms', { min: 0 }),
  define('message.timestamp.type', 'STRING', 'CreateTime', 'log.message.timestamp.type', {
    values: ['CreateTime', 'LogAppendTime'],
  }),
  define('min.cleanable.dirty.ratio', 'DOUBLE', '0.5', 'log.cleaner.min.cleanable.ratio', { min: 0, max: 1 }),
  define('min.compaction.lag.ms', 'LONG', '0', 'log.cleaner.min.compaction.lag.ms', { min: 0 }),
  define('min.insync.replicas', 'INT', '1', 'min.insync.replicas', { min: 1 }),
  define('preallocate', 'BOOLEAN', 'false', 'log.preallocate'),
  define('remote.copy.lag.bytes', 'LONG', '-1', 'log.remote.copy.lag.bytes', { min: -2 }),
  define('remote.copy.lag.ms', 'LONG', '0', 'log.remote.copy.lag.ms', { min: -2 }),
  define('remote.log.copy.disable', 'BOOLEAN', 'false', null),
  define('remote.log.delete.on.disable', 'BOOLEAN', 'false', null),
  define('remote.storage.enable', 'BOOLEAN', 'false', null),
  define('retention.bytes', 'LONG', '-1', 'log.retention.bytes'),
  define('retention.ms', 'LONG', '604800000', 'log.retention.ms', { min: -1 }),
  define('segment.bytes', 'INT', '1073741824', 'log.segment.bytes', { min: 1048576 }),
  define('segment.index.bytes', 'INT', '10485760', 'log.index.size.max.bytes', { min: 4 }),
  define('segment.jitter.ms', 'LONG', '0', 'log.roll.jitter.ms', { min: 0 }),
  define('segment.ms', 'LONG', '604800000', 'log.roll.ms', { min: 1 }),
  define('unclean.leader.election.enable', 'BOOLEAN', 'false', 'unclean.leader.election.enable'),
]

export const TOPIC_CONFIGS: ReadonlyMap<string, TopicConfigDefinition> = new Map(DEFINITIONS.map((d) => [d.name, d]))
