// How far the replicas that follow are behind their leaders, as their last answers told.
import { gauge, type MetricFamily } from '@faultline/base'
import type { ReplicaFetcher } from '../replica/replica-fetcher.ts'

/** One fetcher follows one leader: Kafka would number several. */
export function fetcherFamilies(fetchers: readonly ReplicaFetcher[]): MetricFamily[] {
  const samples = fetchers.flatMap((fetcher) =>
    fetcher.lags().map(({ partition, lag }) => ({
      labels: { clientId: `ReplicaFetcherThread-0-${fetcher.leader}`, topic: partition.topic, partition: partition.index },
      value: lag,
    })),
  )
  const max = samples.reduce((most, { value }) => Math.max(most, value), 0)
  return [
    gauge('kafka_server_fetcherlagmetrics_consumerlag', 'Committed records that a replica does not have yet.', samples),
    gauge('kafka_server_replicafetchermanager_maxlag', 'The largest of these.', [
      { labels: { clientId: 'Replica' }, value: max },
    ]),
  ]
}
