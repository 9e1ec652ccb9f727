// What a broker's configuration says about groups, under Kafka's names.

export interface GroupConfig {
  /** group.min.session.timeout.ms */
  readonly minSessionTimeoutMs: number
  /** group.max.session.timeout.ms */
  readonly maxSessionTimeoutMs: number
  /** group.initial.rebalance.delay.ms */
  readonly initialRebalanceDelayMs: number
  /** group.max.size */
  readonly maxSize: number
  /** offset.metadata.max.bytes */
  readonly maxMetadataLength: number
  /** offsets.retention.minutes, in ms */
  readonly retentionMs: number
  /** offsets.retention.check.interval.ms */
  readonly retentionCheckMs: number
  readonly consumer: ConsumerGroupConfig
}

/** Of the consumer protocol. What a group may have a value of its own for is asked for by its id. */
export interface ConsumerGroupConfig {
  /** group.coordinator.rebalance.protocols names it */
  readonly enabled: boolean
  /** group.consumer.max.size */
  readonly maxSize: number
  /** group.consumer.assignors */
  readonly assignors: readonly string[]
  /** group.consumer.migration.policy */
  readonly migrationPolicy: string
  /** consumer.session.timeout.ms */
  sessionTimeoutMs(groupId: string): number
  /** consumer.heartbeat.interval.ms */
  heartbeatIntervalMs(groupId: string): number
  /** consumer.assignment.interval.ms */
  assignmentIntervalMs(groupId: string): number
}

/** What the cluster's metadata says about topics. */
export interface Topics {
  idOf(name: string): string | undefined
  nameOf(id: string): string | undefined
  hasPartition(name: string, partition: number): boolean
  partitionCountOf(name: string): number | undefined
  names(): Iterable<string>
  /** Of the metadata; it only grows. */
  version(): number
}

/** Who asks. */
export interface GroupClient {
  readonly version: number
  readonly clientId: string
  /** "/127.0.0.1" */
  readonly clientHost: string
}
