// The logs of this broker's replicas.
import { gauge, type MetricFamily } from '@faultline/base'
import type { Partition } from '../replica/partition.ts'
import { samplesOf } from './replica-metrics.ts'

export function logFamilies(partitions: readonly Partition[]): MetricFamily[] {
  const log = (name: string, help: string, value: (p: Partition) => number) =>
    gauge(`kafka_log_log_${name}`, help, samplesOf(partitions, value))
  return [
    log('size', 'Bytes of a log.', (p) => p.log.sizeBytes),
    log('numlogsegments', 'Segments of a log.', (p) => p.log.segmentCount),
    log('logstartoffset', 'The first offset of a log.', (p) => p.log.logStartOffset),
    log('logendoffset', 'The offset of the next record.', (p) => p.log.logEndOffset),
  ]
}
