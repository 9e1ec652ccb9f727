// Operations that wait: found where they wait, on the partitions, so that nobody keeps count.
import { gauge, type MetricFamily } from '@faultline/base'
import { DelayedDeleteRecords } from '../delayed-delete-records.ts'
import { DelayedProduce } from '../delayed-produce.ts'
import { DelayedFetch } from '../fetch/delayed-fetch.ts'
import type { Partition } from '../replica/partition.ts'
import type { Watcher } from '../replica/watchers.ts'

export function purgatoryFamilies(partitions: readonly Partition[]): MetricFamily[] {
  const waiting = new Set<Watcher>()
  for (const { advanced, shortened } of partitions) for (const watcher of [...advanced, ...shortened]) waiting.add(watcher)
  const size = (delayedOperation: string, is: (watcher: Watcher) => boolean) => ({
    labels: { delayedOperation },
    value: [...waiting].filter(is).length,
  })
  return [
    gauge('kafka_server_delayedoperationpurgatory_purgatorysize', 'Requests that wait: for followers, or for records.', [
      size('Produce', (w) => w instanceof DelayedProduce),
      size('Fetch', (w) => w instanceof DelayedFetch),
      size('DeleteRecords', (w) => w instanceof DelayedDeleteRecords),
    ]),
  ]
}
