// A snapshot is the image as records: replaying them into an empty image gives the same image again.
import type { MetadataRecord } from '@faultline/protocol'
import type { BrokerState } from './broker-state.ts'
import type { ClusterImage } from './cluster-image.ts'
import type { PartitionState } from './partition-state.ts'

export function imageRecords(image: ClusterImage): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const [name, featureLevel] of image.features) records.push({ type: 'FeatureLevelRecord', value: { name, featureLevel } })
  for (const broker of image.brokers.values()) records.push({ type: 'RegisterBrokerRecord', value: registration(broker) })
  for (const topic of image.topicsById.values()) {
    records.push({ type: 'TopicRecord', value: { name: topic.name, topicId: topic.id } })
    for (const partition of topic.partitions)
      records.push({ type: 'PartitionRecord', value: partitionRecord(topic.id, partition) })
  }
  for (const [key, overrides] of image.configs) {
    const [type, ...name] = key.split(':')
    for (const [config, value] of overrides) {
      records.push({
        type: 'ConfigRecord',
        value: { resourceType: Number(type), resourceName: name.join(':'), name: config, value },
      })
    }
  }
  if (image.nextProducerId > 0) {
    records.push({ type: 'ProducerIdsRecord', value: { brokerId: -1, brokerEpoch: -1, nextProducerId: image.nextProducerId } })
  }
  return records
}

/** Listeners of this cluster are plain text. */
const PLAINTEXT = 0

export function registration(broker: BrokerState) {
  return {
    brokerId: broker.id,
    isMigratingZkBroker: false,
    incarnationId: broker.incarnationId,
    brokerEpoch: broker.epoch,
    endPoints: broker.listeners.map((l) => ({ ...l, securityProtocol: PLAINTEXT })),
    features: [],
    rack: broker.rack,
    fenced: broker.fenced,
    inControlledShutdown: broker.inControlledShutdown,
    logDirs: [...broker.logDirs],
    cordonedLogDirs: null,
  }
}

export function partitionRecord(topicId: string, p: PartitionState) {
  return {
    partitionId: p.partition,
    topicId,
    replicas: [...p.replicas],
    isr: [...p.isr],
    removingReplicas: [...p.removingReplicas],
    addingReplicas: [...p.addingReplicas],
    leader: p.leader,
    leaderRecoveryState: p.leaderRecoveryState,
    leaderEpoch: p.leaderEpoch,
    partitionEpoch: p.partitionEpoch,
    directories: [],
    eligibleLeaderReplicas: p.elr.length > 0 ? [...p.elr] : null,
    lastKnownElr: p.lastKnownElr.length > 0 ? [...p.lastKnownElr] : null,
  }
}
