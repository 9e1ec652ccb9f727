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
}

/** What the cluster's metadata says about topics. */
export interface Topics {
  idOf(name: string): string | undefined
  nameOf(id: string): string | undefined
  hasPartition(name: string, partition: number): boolean
}

/** Who asks. */
export interface GroupClient {
  readonly version: number
  readonly clientId: string
  /** "/127.0.0.1" */
  readonly clientHost: string
}
