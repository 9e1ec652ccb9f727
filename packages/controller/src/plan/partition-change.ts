// Builds the change of one partition: who is in the ISR and the ELR, and who leads (Kafka's PartitionChangeBuilder; KIP-966 for the ELR).
import type { MetadataRecord } from '@faultline/protocol'
import { NO_LEADER, type PartitionState, RECOVERING } from '../image/partition-state.ts'
import { NO_LEADER_CHANGE } from '../image/replay-topics.ts'

/** ONLINE keeps a valid leader; PREFERRED goes to the first replica when it can lead; UNCLEAN may lose records. */
export type Election = 'online' | 'preferred' | 'unclean'

export interface PartitionChangeOptions {
  readonly topicId: string
  readonly partition: PartitionState
  readonly targetIsr?: readonly number[]
  readonly targetReplicas?: readonly number[]
  readonly leaderRecoveryState?: number
  readonly election: Election
  readonly elrEnabled: boolean
  readonly minIsr: number
  /** Unfenced, not shutting down, its disk online. */
  readonly isAcceptableLeader: (broker: number) => boolean
  /** Restarted without a clean stop: may have lost its tail, so it leaves the ELR too. */
  readonly uncleanShutdown?: ReadonlySet<number>
}

interface Target {
  isr: readonly number[]
  elr: readonly number[]
}

/** The record, or undefined when nothing changes. */
export function planPartitionChange(options: PartitionChangeOptions): MetadataRecord | undefined {
  const { partition, topicId } = options
  const target = targetSets(options)
  const elected = elect(options, target)
  const recovery = elected.unclean ? RECOVERING : (options.leaderRecoveryState ?? partition.leaderRecoveryState)
  if (elected.unclean) Object.assign(target, { isr: [elected.leader], elr: [] })
  else if (elected.leader !== NO_LEADER && !target.isr.includes(elected.leader)) leaveElr(target, elected.leader)
  const lastKnownElr = lastKnownLeader(options, elected.leader)

  const keepIsr = target.isr.length === 0 && !options.elrEnabled
  const value = {
    partitionId: partition.partition,
    topicId,
    isr: keepIsr || sameMembers(target.isr, partition.isr) ? null : [...target.isr],
    leader: elected.leader === partition.leader ? NO_LEADER_CHANGE : elected.leader,
    replicas:
      options.targetReplicas && !sameList(options.targetReplicas, partition.replicas) ? [...options.targetReplicas] : null,
    removingReplicas: null,
    addingReplicas: null,
    leaderRecoveryState: recovery === partition.leaderRecoveryState ? -1 : recovery,
    directories: null,
    eligibleLeaderReplicas: sameMembers(target.elr, partition.elr) ? null : [...target.elr],
    lastKnownElr: sameMembers(lastKnownElr, partition.lastKnownElr) ? null : [...lastKnownElr],
  }
  const changes =
    value.isr ??
    value.replicas ??
    value.eligibleLeaderReplicas ??
    value.lastKnownElr ??
    (value.leader !== NO_LEADER_CHANGE || value.leaderRecoveryState !== -1 || null)
  return changes === null ? undefined : { type: 'PartitionChangeRecord', value }
}

function targetSets(options: PartitionChangeOptions): Target {
  const { partition } = options
  const isr = options.targetIsr ?? partition.isr
  const replicas = options.targetReplicas ?? partition.replicas
  if (!options.elrEnabled || isr.length >= Math.min(options.minIsr, replicas.length)) return { isr, elr: [] }
  const candidates = new Set([...partition.elr, ...partition.isr])
  const elr = [...candidates].filter((id) => !isr.includes(id) && replicas.includes(id) && !options.uncleanShutdown?.has(id))
  return { isr, elr: elr.sort((a, b) => a - b) }
}

function elect(options: PartitionChangeOptions, target: Target): { leader: number; unclean: boolean } {
  const { partition, isAcceptableLeader, election } = options
  const replicas = options.targetReplicas ?? partition.replicas
  const eligible = target.isr.length === 0 ? target.elr : target.isr
  const canLead = (id: number) => eligible.includes(id) && isAcceptableLeader(id)
  if (election === 'preferred' && canLead(replicas[0]!)) return { leader: replicas[0]!, unclean: false }
  if (canLead(partition.leader)) return { leader: partition.leader, unclean: false }
  const clean = replicas.find(canLead)
  if (clean !== undefined) return { leader: clean, unclean: false }
  const [last] = partition.lastKnownElr
  const nobodyEligible = options.elrEnabled && target.isr.length === 0 && target.elr.length === 0
  if (nobodyEligible && partition.lastKnownElr.length === 1 && isAcceptableLeader(last!)) return { leader: last!, unclean: true }
  if (election === 'unclean') {
    const live = replicas.find(isAcceptableLeader)
    if (live !== undefined) return { leader: live, unclean: true }
  }
  return { leader: NO_LEADER, unclean: false }
}

/** Who led last, from the moment that nobody does until somebody does again. */
function lastKnownLeader({ partition, elrEnabled }: PartitionChangeOptions, leader: number): readonly number[] {
  if (!elrEnabled || leader === partition.leader) return partition.lastKnownElr
  if (leader !== NO_LEADER) return []
  return partition.lastKnownElr.length > 0 ? partition.lastKnownElr : [partition.leader]
}

/** Elected from the ELR: clean, the new ISR is the leader alone. */
function leaveElr(target: Target, leader: number): void {
  target.isr = [leader]
  target.elr = target.elr.filter((id) => id !== leader)
}

function sameMembers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id))
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i])
}
