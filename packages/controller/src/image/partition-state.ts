// One partition as the metadata log describes it. Values are immutable: a change replaces the object, so an observer can compare by identity.

export const NO_LEADER = -1

/** Kafka's LeaderRecoveryState: RECOVERING after an unclean election, until the leader has told the controller that it recovered. */
export const RECOVERED = 0
export const RECOVERING = 1

export interface PartitionState {
  readonly partition: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Eligible leader replicas: out of the ISR, yet known to hold everything below the high watermark (KIP-966). */
  readonly elr: readonly number[]
  readonly lastKnownElr: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly leaderRecoveryState: number
}

export interface TopicState {
  readonly name: string
  readonly id: string
  /** Index is the partition id; ids are dense. */
  readonly partitions: PartitionState[]
}
