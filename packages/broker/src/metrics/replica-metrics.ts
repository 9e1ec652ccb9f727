// How the replicas of this broker are: led, in sync, below their minimum, changing their ISRs.
import { counter, gauge, type MetricFamily, type MetricSample } from '@faultline/base'
import type { Partition } from '../replica/partition.ts'

/** Counted since the start, by whoever does it. */
export class ReplicationCounts {
  isrShrinks = 0
  isrExpands = 0
  failedIsrUpdates = 0
  bytesIn = 0
  bytesOut = 0
}

export function replicaFamilies(
  partitions: readonly Partition[],
  counts: ReplicationCounts,
  lateAfter: LateAfter,
): MetricFamily[] {
  const led = partitions.filter((p) => p.leads)
  const manager = (name: string, help: string, value: number) => gauge(`kafka_server_replicamanager_${name}`, help, value)
  const changes = (name: string, help: string, value: number) => counter(`kafka_server_replicamanager_${name}_total`, help, value)
  return [
    manager('partitioncount', 'Replicas on this broker.', partitions.length),
    manager('leadercount', 'Partitions led here.', led.length),
    manager('underreplicatedpartitions', 'Partitions led here with fewer in-sync replicas than replicas.', count(led, isUnder)),
    manager('underminisrpartitioncount', 'Partitions led here with an ISR below min.insync.replicas.', count(led, isUnderMin)),
    manager('atminisrpartitioncount', 'Partitions led here with an ISR of exactly min.insync.replicas.', count(led, isAtMin)),
    manager(
      'offlinereplicacount',
      'Replicas whose log has failed.',
      count(partitions, (p) => p.log.failure !== undefined),
    ),
    manager(
      'partitionswithlatetransactionscount',
      'Partitions led here with a transaction that is open for longer than any may be.',
      count(led, (p) => isLate(p, lateAfter)),
    ),
    changes('isrshrinks', 'ISRs that this broker, as leader, has made smaller.', counts.isrShrinks),
    changes('isrexpands', 'ISRs that this broker, as leader, has made larger.', counts.isrExpands),
    changes('failedisrupdates', 'ISR changes that the controller refused.', counts.failedIsrUpdates),
    counter('kafka_server_brokertopicmetrics_replicationbytesin_total', 'Bytes fetched from leaders.', counts.bytesIn),
    counter(
      'kafka_server_brokertopicmetrics_replicationbytesout_total',
      'Bytes that followers were answered with.',
      counts.bytesOut,
    ),
    ofEach('replicascount', 'Replicas of a partition led here.', led, (p) => p.replicas.length),
    ofEach('insyncreplicascount', 'In-sync replicas of a partition led here.', led, (p) => p.isr.length),
    ofEach('underreplicated', '1 when fewer replicas are in sync than there are.', led, (p) => Number(isUnder(p))),
    ofEach('underminisr', '1 when the ISR is below min.insync.replicas.', led, (p) => Number(isUnderMin(p))),
    ofEach(
      'laststableoffsetlag',
      'Records below the high watermark that consumers of committed records wait for.',
      led,
      (p) => p.log.highWatermark - p.log.lastStableOffset,
    ),
  ]
}

export interface LateAfter {
  readonly now: number
  readonly maxAgeMs: number
}

/** By the oldest open transaction, and when its producer last wrote, as Kafka has it. */
function isLate({ log }: Partition, { now, maxAgeMs }: LateAfter): boolean {
  if (log.lastStableOffset === log.highWatermark) return false
  const open = log.activeProducers().filter((p) => p.currentTxnStartOffset >= 0)
  if (open.length === 0) return false
  const oldest = open.reduce((a, b) => (a.currentTxnStartOffset <= b.currentTxnStartOffset ? a : b))
  return now - oldest.lastTimestamp > maxAgeMs
}

function isUnder({ isr, replicas }: Partition): boolean {
  return isr.length < replicas.length
}

function isUnderMin({ underMinIsr }: Partition): boolean {
  return underMinIsr
}

function isAtMin({ isr, minIsr }: Partition): boolean {
  return isr.length === minIsr
}

function count(partitions: readonly Partition[], is: (partition: Partition) => boolean): number {
  return partitions.reduce((n, p) => n + Number(is(p)), 0)
}

function ofEach(name: string, help: string, partitions: readonly Partition[], value: (p: Partition) => number): MetricFamily {
  return gauge(`kafka_cluster_partition_${name}`, help, samplesOf(partitions, value))
}

export function samplesOf(partitions: readonly Partition[], value: (p: Partition) => number): MetricSample[] {
  return partitions.map((p) => ({ labels: { topic: p.topic, partition: p.index }, value: value(p) }))
}
