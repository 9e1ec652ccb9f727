// Replay of the topic family. Leader and partition epochs are not in the change records: replay counts them, as Kafka does.
import { assert } from '@faultline/base'
import type { MetadataRecordValue } from '@faultline/protocol'
import { type ClusterImage, ResourceType } from './cluster-image.ts'
import { NO_LEADER, type PartitionState, type TopicState } from './partition-state.ts'

/** A PartitionChangeRecord's leader field when the leader stays as it is. */
export const NO_LEADER_CHANGE = -2

/** A ClearElrRecord's topic when it means them all. */
export const EVERY_TOPIC = ''

/** The topics that a ClearElrRecord is about. */
export function clearedTopics(image: ClusterImage, { topicName }: MetadataRecordValue<'ClearElrRecord'>): TopicState[] {
  return [...image.topicsById.values()].filter((topic) => topicName === EVERY_TOPIC || topic.name === topicName)
}

export function replayClearElr(image: ClusterImage, value: MetadataRecordValue<'ClearElrRecord'>): void {
  for (const { partitions } of clearedTopics(image, value)) {
    for (const old of partitions) {
      if (old.elr.length + old.lastKnownElr.length === 0) continue
      partitions[old.partition] = { ...old, elr: [], lastKnownElr: [], partitionEpoch: old.partitionEpoch + 1 }
    }
  }
}

export function replayTopic(image: ClusterImage, value: MetadataRecordValue<'TopicRecord'>): void {
  assert(!image.topicsByName.has(value.name), `topic ${value.name} is there already`)
  const topic = { name: value.name, id: value.topicId, partitions: [] }
  image.topicsByName.set(value.name, topic)
  image.topicsById.set(value.topicId, topic)
}

export function replayRemoveTopic(image: ClusterImage, value: MetadataRecordValue<'RemoveTopicRecord'>): void {
  const topic = image.topicsById.get(value.topicId)
  assert(topic, `removal of unknown topic ${value.topicId}`)
  image.topicsById.delete(topic.id)
  image.topicsByName.delete(topic.name)
  image.configs.delete(`${ResourceType.TOPIC}:${topic.name}`)
}

export function replayPartition(image: ClusterImage, value: MetadataRecordValue<'PartitionRecord'>): void {
  const topic = image.topicsById.get(value.topicId)
  assert(topic, `partition of unknown topic ${value.topicId}`)
  assert(value.partitionId === topic.partitions.length, `partition ${value.partitionId} of ${topic.name} out of order`)
  topic.partitions.push({
    partition: value.partitionId,
    replicas: value.replicas,
    isr: value.isr,
    elr: value.eligibleLeaderReplicas ?? [],
    lastKnownElr: value.lastKnownElr ?? [],
    addingReplicas: value.addingReplicas,
    removingReplicas: value.removingReplicas,
    leader: value.leader,
    leaderEpoch: value.leaderEpoch,
    partitionEpoch: value.partitionEpoch,
    leaderRecoveryState: value.leaderRecoveryState,
  })
}

export function replayPartitionChange(image: ClusterImage, value: MetadataRecordValue<'PartitionChangeRecord'>): void {
  const topic = image.topicsById.get(value.topicId)
  const old = topic?.partitions[value.partitionId]
  assert(topic && old, `change of unknown partition ${value.topicId}-${value.partitionId}`)
  const elects = value.leader !== NO_LEADER_CHANGE
  const next: PartitionState = {
    partition: old.partition,
    replicas: value.replicas ?? old.replicas,
    isr: value.isr ?? old.isr,
    elr: value.eligibleLeaderReplicas ?? old.elr,
    lastKnownElr: value.lastKnownElr ?? old.lastKnownElr,
    addingReplicas: value.addingReplicas ?? old.addingReplicas,
    removingReplicas: value.removingReplicas ?? old.removingReplicas,
    leader: elects ? value.leader : old.leader,
    leaderEpoch: old.leaderEpoch + (elects ? 1 : 0),
    partitionEpoch: old.partitionEpoch + 1,
    leaderRecoveryState: value.leaderRecoveryState === -1 ? old.leaderRecoveryState : value.leaderRecoveryState,
  }
  assert(
    next.isr.every((id) => next.replicas.includes(id)),
    `ISR of ${topic.name}-${old.partition} outside its replicas`,
  )
  assert(next.leader === NO_LEADER || next.isr.includes(next.leader), `leader of ${topic.name}-${old.partition} outside its ISR`)
  topic.partitions[value.partitionId] = next
}
