// What this broker coordinates: groups and transactional ids by their states.
import { gauge, type MetricFamily, type MetricSample } from '@faultline/base'
import type { GroupCoordinator, TransactionCoordinator } from '@faultline/coordinator'

export function coordinatorFamilies(groups: GroupCoordinator, transactions: TransactionCoordinator): MetricFamily[] {
  const shards = groups.runtime.loaded
  const classic = shards.flatMap((shard) => [...shard.groups.values()])
  const consumer = shards.flatMap((shard) => [...shard.consumerGroups.values()])
  const ids = transactions.runtime.loaded.flatMap((shard) => [...shard.transactions.values()])
  const family = (name: string, help: string, samples: MetricSample[]) =>
    gauge(`kafka_server_group_coordinator_metrics_${name}`, help, samples)
  return [
    family('group_count', 'Groups that this broker coordinates, by protocol.', [
      { labels: { protocol: 'classic' }, value: classic.length },
      { labels: { protocol: 'consumer' }, value: consumer.length },
    ]),
    family('classic_group_count', 'Classic groups by state.', byState(classic)),
    family('consumer_group_count', 'Consumer groups (KIP-848) by state.', byState(consumer)),
    gauge('faultline_transactional_ids', 'Transactional ids that this broker coordinates, by state.', byState(ids)),
  ]
}

function byState(things: readonly { readonly state: string }[]): MetricSample[] {
  const counts = new Map<string, number>()
  for (const { state } of things) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].map(([state, value]) => ({ labels: { state }, value }))
}
