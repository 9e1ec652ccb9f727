// The group coordinator in this broker: it follows the leaderships of __consumer_offsets, and hears of topics that come, change and go.
import { type ConsumerGroupConfig, type GroupConfig, GroupCoordinator } from '@faultline/coordinator'
import {
  clampGroupConfig,
  type ClusterImage,
  groupConfigSynonyms,
  listItems,
  serverNumber,
  serverText,
  type StaticConfigs,
} from '@faultline/controller'
import type { Clock, EventSink, Random } from '@faultline/base'
import type { MetadataRecord } from '@faultline/protocol'
import type { Partition } from '../replica/partition.ts'
import { CoordinatedTopic } from './coordinated-topic.ts'

export const GROUP_TOPIC = '__consumer_offsets'

export interface GroupCoordinationOptions {
  readonly brokerId: number
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly statics: StaticConfigs
  readonly image: () => ClusterImage
}

export class GroupCoordination {
  readonly coordinator: GroupCoordinator
  readonly #o: GroupCoordinationOptions
  readonly #topic: CoordinatedTopic
  /** Names by id, as of the last change: a topic's name must be known when it is gone. */
  #topicNames = new Map<string, string>()

  constructor(options: GroupCoordinationOptions) {
    this.#o = options
    const { image, statics } = options
    const consumer = consumerConfig(options)
    this.coordinator = new GroupCoordinator({
      clock: options.clock,
      random: options.random,
      events: options.events,
      commitTimeoutMs: serverNumber(statics, 'offsets.commit.timeout.ms'),
      config: groupConfig(statics, consumer),
      topics: {
        idOf: (name) => image().topicsByName.get(name)?.id,
        nameOf: (id) => image().topicsById.get(id)?.name,
        hasPartition: (name, partition) => image().topicsByName.get(name)?.partitions[partition] !== undefined,
        partitionCountOf: (name) => image().topicsByName.get(name)?.partitions.length,
        names: () => image().topicsByName.keys(),
        version: () => image().offset,
      },
      partitions: () => image().topicsByName.get(GROUP_TOPIC)?.partitions.length,
    })
    this.#topic = new CoordinatedTopic(GROUP_TOPIC, this.coordinator.runtime, options.clock)
  }

  onLeadership(partition: Partition, leads: boolean): void {
    this.#topic.onLeadership(partition, leads)
  }

  /** The image has moved on by these records, or (`whole`) was replaced. */
  onMetadata(records: readonly MetadataRecord[], whole: boolean): void {
    const deleted = new Map<string, string>()
    const created = whole || records.some(({ type }) => type === 'TopicRecord')
    if (whole) {
      const { topicsById } = this.#o.image()
      for (const [id, name] of this.#topicNames) if (!topicsById.has(id)) deleted.set(name, id)
      this.#topicNames = new Map([...topicsById].map(([id, topic]) => [id, topic.name]))
    } else {
      for (const record of records) this.#follow(record, deleted)
    }
    if (deleted.size > 0) this.coordinator.topicsDeleted(deleted)
    // A partition's record is that of a new one; elections and in-sync replicas change by another.
    if (created || deleted.size > 0 || records.some(({ type }) => type === 'PartitionRecord'))
      this.coordinator.topicsChanged(created)
  }

  #follow(record: MetadataRecord, deleted: Map<string, string>): void {
    if (record.type === 'TopicRecord') this.#topicNames.set(record.value.topicId, record.value.name)
    if (record.type !== 'RemoveTopicRecord') return
    const name = this.#topicNames.get(record.value.topicId)
    this.#topicNames.delete(record.value.topicId)
    if (name !== undefined) deleted.set(name, record.value.topicId)
  }

  stop(): void {
    this.#topic.stop()
  }
}

function groupConfig(statics: StaticConfigs, consumer: ConsumerGroupConfig): GroupConfig {
  const number = (name: string) => serverNumber(statics, name)
  return {
    minSessionTimeoutMs: number('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: number('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: number('group.initial.rebalance.delay.ms'),
    maxSize: number('group.max.size'),
    maxMetadataLength: number('offset.metadata.max.bytes'),
    retentionMs: number('offsets.retention.minutes') * 60_000,
    retentionCheckMs: number('offsets.retention.check.interval.ms'),
    consumer,
  }
}

function consumerConfig({ brokerId, image, statics }: GroupCoordinationOptions): ConsumerGroupConfig {
  const ofGroup = (name: string) => (group: string) => {
    const value = Number(groupConfigSynonyms(image(), statics, brokerId, group, name)[0]!.value)
    return clampGroupConfig(name, value, statics)
  }
  return {
    enabled: listItems(serverText(statics, 'group.coordinator.rebalance.protocols')).includes('consumer'),
    maxSize: serverNumber(statics, 'group.consumer.max.size'),
    assignors: listItems(serverText(statics, 'group.consumer.assignors')),
    migrationPolicy: serverText(statics, 'group.consumer.migration.policy').toLowerCase(),
    sessionTimeoutMs: ofGroup('consumer.session.timeout.ms'),
    heartbeatIntervalMs: ofGroup('consumer.heartbeat.interval.ms'),
    assignmentIntervalMs: ofGroup('consumer.assignment.interval.ms'),
  }
}
