// Which partitions change when brokers come and go, and from time to time: out of the ISR with those that leave, leaders for those that
// have none, preferred leaders for those that have another.
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

/** The changes of all partitions that `change` names one for, at most `limit`. */
function changeEach(
  context: PlanContext,
  change: (partition: PartitionState, topic: TopicState) => Change | undefined,
  limit = Infinity,
): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const topic of context.image.topicsById.values()) {
    for (const partition of topic.partitions) {
      if (records.length >= limit) return records
      const wanted = change(partition, topic)
      const record = wanted && changePartition(context, topic, partition, wanted)
      if (record) records.push(record)
    }
  }
  return records
}

/** Takes `broker` out of every ISR and moves every leadership away from it. */
export function removeFromIsrs(context: PlanContext, broker: number, uncleanShutdown: boolean): MetadataRecord[] {
  const isAcceptableLeader = (id: number) => id !== broker && isActive(context.image.brokers.get(id))
  const gone = uncleanShutdown ? { uncleanShutdown: new Set([broker]) } : {}
  return changeEach(context, ({ isr, elr, leader }) => {
    if (!isr.includes(broker) && leader !== broker && !(uncleanShutdown && elr.includes(broker))) return undefined
    return { targetIsr: isr.filter((id) => id !== broker), isAcceptableLeader, ...gone }
  })
}

/** Elects for partitions without a leader, now that `broker` is active. */
export function electLeaderless(context: PlanContext, broker: number): MetadataRecord[] {
  const isAcceptableLeader = (id: number) => id === broker || isActive(context.image.brokers.get(id))
  return changeEach(context, ({ leader }) => (leader === NO_LEADER ? { isAcceptableLeader } : undefined))
}

/** Preferred leaders that are back in the ISR take over again (auto.leader.rebalance.enable). */
export function electPreferred(context: PlanContext, limit: number): MetadataRecord[] {
  const hasAnother = ({ leader, replicas }: PartitionState) => leader !== replicas[0]
  return changeEach(context, (partition) => (hasAnother(partition) ? { election: 'preferred' } : undefined), limit)
}

/** Partitions without a leader get one where an unclean one is allowed: since they lost theirs, it may have come to be. */
export function electUnclean(context: PlanContext, limit: number): MetadataRecord[] {
  const isAllowed = ({ name }: TopicState) => uncleanElectionEnabled(context.image, context.statics, name)
  const isWanted = ({ leader }: PartitionState, topic: TopicState) => leader === NO_LEADER && isAllowed(topic)
  return changeEach(context, (partition, topic) => (isWanted(partition, topic) ? { election: 'unclean' } : undefined), limit)
}
