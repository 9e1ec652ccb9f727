// AlterPartition: a leader asks for another ISR. Checked in Kafka's order, so that a leader learns exactly what it has missed (KIP-497).
import { Errors, type MetadataRecord } from '@faultline/protocol'
import type { AlterPartitionItem, AlterPartitionReply, AlterPartitionRequest, AlterPartitionResult } from '@faultline/rpc'
import { isActive } from '../image/broker-state.ts'
import { type PartitionState, RECOVERED, RECOVERING } from '../image/partition-state.ts'
import { replayPartitionChange } from '../image/replay-topics.ts'
import { ClusterImage } from '../image/cluster-image.ts'
import { changePartition } from './leadership.ts'
import type { Plan, PlanContext } from './plan.ts'

export function planAlterPartition(
  context: PlanContext,
  request: AlterPartitionRequest,
): Plan<Omit<AlterPartitionReply, 'leader'>> {
  if (context.image.brokers.get(request.brokerId)?.epoch !== request.brokerEpoch) {
    return { records: [], response: { error: Errors.STALE_BROKER_EPOCH, partitions: [] } }
  }
  const records: MetadataRecord[] = []
  const partitions = request.partitions.map((item) => {
    const error = refusal(context, request.brokerId, item)
    if (error !== Errors.NONE) return failed(item, error)
    const topic = context.image.topicsById.get(item.topicId)!
    const old = topic.partitions[item.partition]!
    const record = changePartition(context, topic, old, {
      targetIsr: item.isr.map((member) => member.brokerId),
      leaderRecoveryState: item.leaderRecoveryState,
    })
    if (!record) return succeeded(item, old)
    records.push(record)
    return succeeded(item, afterChange(topic.name, item.topicId, old, record))
  })
  return { records, response: { error: Errors.NONE, partitions } }
}

function refusal(context: PlanContext, sender: number, item: AlterPartitionItem): number {
  const topic = context.image.topicsById.get(item.topicId)
  if (!topic) return Errors.UNKNOWN_TOPIC_ID
  const partition = topic.partitions[item.partition]
  if (!partition) return Errors.UNKNOWN_TOPIC_OR_PARTITION
  if (item.leaderEpoch > partition.leaderEpoch || item.partitionEpoch > partition.partitionEpoch) return Errors.NOT_CONTROLLER
  if (item.leaderEpoch < partition.leaderEpoch) return Errors.FENCED_LEADER_EPOCH
  if (sender !== partition.leader) return Errors.INVALID_REQUEST
  if (item.partitionEpoch < partition.partitionEpoch) return Errors.INVALID_UPDATE_VERSION
  const isr = item.isr.map((member) => member.brokerId)
  if (!isr.every((id) => partition.replicas.includes(id)) || new Set(isr).size !== isr.length) return Errors.INVALID_REQUEST
  if (!isr.includes(partition.leader)) return Errors.INVALID_REQUEST
  if (item.leaderRecoveryState === RECOVERING && (isr.length > 1 || partition.leaderRecoveryState === RECOVERED))
    return Errors.INVALID_REQUEST
  return item.isr.every((member) => eligible(context, member.brokerId, member.brokerEpoch))
    ? Errors.NONE
    : Errors.INELIGIBLE_REPLICA
}

/** KIP-841 and KIP-903: a fenced or stopping broker, or an incarnation that is gone, does not enter an ISR. */
function eligible(context: PlanContext, broker: number, epoch: number): boolean {
  const state = context.image.brokers.get(broker)
  return isActive(state) && (epoch === -1 || state!.epoch === epoch)
}

/** What the partition will be once the record is replayed: the reply tells the leader. */
function afterChange(name: string, topicId: string, old: PartitionState, record: MetadataRecord): PartitionState {
  if (record.type !== 'PartitionChangeRecord') return old
  const scratch = new ClusterImage()
  const topic = { name, id: topicId, partitions: [] as PartitionState[] }
  topic.partitions[old.partition] = old
  scratch.topicsById.set(topicId, topic)
  replayPartitionChange(scratch, record.value)
  return topic.partitions[old.partition]!
}

function failed(item: AlterPartitionItem, error: number): AlterPartitionResult {
  const none = { leaderId: -1, leaderEpoch: -1, isr: [], leaderRecoveryState: 0, partitionEpoch: -1 }
  return { topicId: item.topicId, partition: item.partition, error, ...none }
}

function succeeded(item: AlterPartitionItem, state: PartitionState): AlterPartitionResult {
  return {
    topicId: item.topicId,
    partition: item.partition,
    error: Errors.NONE,
    leaderId: state.leader,
    leaderEpoch: state.leaderEpoch,
    isr: state.isr,
    leaderRecoveryState: state.leaderRecoveryState,
    partitionEpoch: state.partitionEpoch,
  }
}
