// All that a broker tells in numbers, at the moment when it is asked.
import { counter, gauge, type MetricFamily } from '@faultline/base'
import { serverNumber } from '@faultline/controller'
import type { Broker } from '../broker.ts'
import { coordinatorFamilies } from './coordinator-metrics.ts'
import { fetcherFamilies } from './fetcher-metrics.ts'
import { logFamilies } from './log-metrics.ts'
import { purgatoryFamilies } from './purgatory-metrics.ts'
import { replicaFamilies } from './replica-metrics.ts'

/** Kafka's names for a broker's states, in numbers. */
const BROKER_STATES: Readonly<Record<string, number>> = { starting: 1, running: 3, stopping: 6 }

/** Later than this after the longest timeout, a transaction that is open still is not on its way to be aborted (KIP-664). */
const LATE_BUFFER_MS = 5 * 60_000

export function brokerFamilies(broker: Broker): MetricFamily[] {
  const { metrics, replicas, clock, statics } = broker
  const partitions = [...replicas.all()]
  const maxAgeMs = serverNumber(statics, 'transaction.max.timeout.ms') + LATE_BUFFER_MS
  return [
    gauge(
      'kafka_server_kafkaserver_brokerstate',
      '1 starting, 3 running, 6 in controlled shutdown.',
      BROKER_STATES[broker.state]!,
    ),
    gauge('faultline_broker_fenced', '1 when the controller lets this broker lead nothing.', Number(broker.fenced)),
    gauge('faultline_client_connections', 'Connections of clients.', broker.connectionCount),
    counter('faultline_connections_refused_total', 'Connections ended over bytes that were no request.', metrics.malformed),
    counter('faultline_connections_idle_total', 'Connections ended over saying nothing.', metrics.idle),
    counter('faultline_batches_refused_total', 'Batches of producers that were no good.', metrics.refusedBatches),
    gauge(
      'kafka_server_fetchsessioncache_numincrementalfetchsessions',
      'Fetch sessions of consumers (KIP-227).',
      broker.fetchSessions.size,
    ),
    ...replicaFamilies(partitions, replicas.counts, { now: clock.wall(), maxAgeMs }),
    ...fetcherFamilies([...replicas.fetchers()]),
    ...replicas.topics.families(),
    ...broker.requests.families(clock.mono()),
    ...purgatoryFamilies(partitions),
    ...coordinatorFamilies(broker.groups.coordinator, broker.transactions.coordinator),
    ...logFamilies(partitions),
  ]
}
