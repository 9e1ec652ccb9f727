// Which partitions change when brokers come and go: out of the ISR with those that leave, leaders for those that have none.
import type { MetadataRecord } from '@faultline/protocol'
import { effectiveMinIsr, uncleanElectionEnabled } from '../config/effective-configs.ts'
import { isActive } from '../image/broker-state.ts'
import { NO_LEADER, type PartitionState, type TopicState } from '../image/partition-state.ts'
import { type PartitionChangeOptions, planPartitionChange } from './partition-change.ts'
import type { PlanContext } from './plan.ts'

type Change = Partial<
  Pick<PartitionChangeOptions, 'targetIsr' | 'election' | 'uncleanShutdown' | 'leaderRecoveryState' | 'isAcceptableLeader'>
>

/** The change of one partition under this cluster's configurations. */
export function changePartition(
  context: PlanContext,
  topic: TopicState,
  partition: PartitionState,
  change: Change,
): MetadataRecord | undefined {
  const { image, statics } = context
  return planPartitionChange({
    topicId: topic.id,
    partition,
    election: uncleanElectionEnabled(image, statics, topic.name) ? 'unclean' : 'online',
    elrEnabled: image.elrEnabled,
    minIsr: effectiveMinIsr(image, statics, topic.name, partition.replicas.length),
    isAcceptableLeader: (id) => isActive(image.brokers.get(id)),
    ...change,
  })
}

/** Takes `broker` out of every ISR and moves every leadership away from it. */
export function removeFromIsrs(context: PlanContext, broker: number, uncleanShutdown: boolean): MetadataRecord[] {
  const acceptable = (id: number) => id !== broker && isActive(context.image.brokers.get(id))
  const records: MetadataRecord[] = []
  for (const topic of context.image.topicsById.values()) {
    for (const partition of topic.partitions) {
      const inElr = uncleanShutdown && partition.elr.includes(broker)
      if (!partition.isr.includes(broker) && partition.leader !== broker && !inElr) continue
      const record = changePartition(context, topic, partition, {
        targetIsr: partition.isr.filter((id) => id !== broker),
        isAcceptableLeader: acceptable,
        ...(uncleanShutdown ? { uncleanShutdown: new Set([broker]) } : {}),
      })
      if (record) records.push(record)
    }
  }
  return records
}

/** Elects for partitions without a leader that `broker`, now active, can lead. */
export function electLeaderless(context: PlanContext, broker: number): MetadataRecord[] {
  const acceptable = (id: number) => id === broker || isActive(context.image.brokers.get(id))
  const records: MetadataRecord[] = []
  for (const topic of context.image.topicsById.values()) {
    for (const partition of topic.partitions) {
      if (partition.leader !== NO_LEADER || !partition.replicas.includes(broker)) continue
      const record = changePartition(context, topic, partition, { isAcceptableLeader: acceptable })
      if (record) records.push(record)
    }
  }
  return records
}

/** Preferred leaders that are back in the ISR take over again (auto.leader.rebalance.enable); at most `limit` elections a pass. */
export function rebalanceLeaders(context: PlanContext, limit: number): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const topic of context.image.topicsById.values()) {
    for (const partition of topic.partitions) {
      if (records.length >= limit) return records
      if (partition.leader === partition.replicas[0] || partition.leader === NO_LEADER) continue
      const record = changePartition(context, topic, partition, { election: 'preferred' })
      if (record) records.push(record)
    }
  }
  return records
}
