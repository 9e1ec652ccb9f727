// The cluster as the metadata log describes it. Controllers and brokers build it from the same records; nothing else changes it.
import { assert } from '@faultline/base'
import type { MetadataRecord } from '@faultline/protocol'
import { imageRecords } from './image-records.ts'
import type { BrokerState } from './broker-state.ts'
import type { PartitionState, TopicState } from './partition-state.ts'
import { replayBrokerChange, replayFence, replayRegisterBroker, replayUnfence, replayUnregisterBroker } from './replay-brokers.ts'
import { replayConfig } from './replay-configs.ts'
import { replayClearElr, replayPartition, replayPartitionChange, replayRemoveTopic, replayTopic } from './replay-topics.ts'

/** Kafka's config resource types. */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const

export class ClusterImage {
  /** Offset of the last entry replayed, -1 for none. */
  offset = -1
  /** Raft term of that entry. */
  epoch = -1
  readonly brokers = new Map<number, BrokerState>()
  readonly topicsById = new Map<string, TopicState>()
  readonly topicsByName = new Map<string, TopicState>()
  /** Overrides only, by `${resourceType}:${resourceName}`. */
  readonly configs = new Map<string, Map<string, string>>()
  readonly features = new Map<string, number>()
  nextProducerId = 0

  /** Applies the records of one entry, all of them or (on an assertion) the node ends. */
  replayEntry(offset: number, epoch: number, records: readonly MetadataRecord[]): void {
    assert(offset > this.offset, `metadata entry ${offset} after ${this.offset}`)
    for (const record of records) this.#replay(record)
    this.offset = offset
    this.epoch = epoch
  }

  /** The records that rebuild this image from nothing. */
  toRecords(): MetadataRecord[] {
    return imageRecords(this)
  }

  partition(topicId: string, partition: number): PartitionState | undefined {
    return this.topicsById.get(topicId)?.partitions[partition]
  }

  configsOf(resourceType: number, name: string): ReadonlyMap<string, string> | undefined {
    return this.configs.get(`${resourceType}:${name}`)
  }

  /** Eligible leader replicas are kept (KIP-966). */
  get elrEnabled(): boolean {
    return (this.features.get('eligible.leader.replicas.version') ?? 0) >= 1
  }

  #replay(record: MetadataRecord): void {
    switch (record.type) {
      case 'RegisterBrokerRecord':
        return replayRegisterBroker(this, record.value)
      case 'UnregisterBrokerRecord':
        return replayUnregisterBroker(this, record.value)
      case 'BrokerRegistrationChangeRecord':
        return replayBrokerChange(this, record.value)
      case 'FenceBrokerRecord':
        return replayFence(this, record.value)
      case 'UnfenceBrokerRecord':
        return replayUnfence(this, record.value)
      case 'TopicRecord':
        return replayTopic(this, record.value)
      case 'RemoveTopicRecord':
        return replayRemoveTopic(this, record.value)
      case 'PartitionRecord':
        return replayPartition(this, record.value)
      case 'PartitionChangeRecord':
        return replayPartitionChange(this, record.value)
      case 'ClearElrRecord':
        return replayClearElr(this, record.value)
      case 'ConfigRecord':
        return replayConfig(this, record.value)
      case 'ProducerIdsRecord':
        this.nextProducerId = record.value.nextProducerId
        return
      case 'FeatureLevelRecord':
        this.features.set(record.value.name, record.value.featureLevel)
        return
      case 'NoOpRecord':
        return
      default:
        assert(false, `no replay for ${record.type}`)
    }
  }
}
