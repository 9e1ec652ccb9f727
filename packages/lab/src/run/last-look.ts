// What a run has left, looked at when its load is over: every partition from its beginning, positions of groups, what brokers know, each replica's log.
import { type ClusterClient, openTransactions } from '@faultline/client'
import { type Experiment, hasProgram } from '../experiment/schema.ts'
import type { Read } from '../history/history.ts'
import type { BrokerView, ClusterWatch } from './cluster-watch.ts'
import { readEverything } from './final-read.ts'
import type { GroupWatch } from './group-watch.ts'
import { type ReplicaLog, readReplicas } from './replica-logs.ts'
import { until } from './until.ts'

/** Transactions that nobody ends are aborted by their timeouts. */
const OPEN_LIMIT_MS = 30_000
const AGREE_LIMIT_MS = 10_000

export interface LastLook {
  readonly final: readonly Read[]
  readonly replicas: readonly ReplicaLog[]
}

export async function lastLook(
  client: ClusterClient,
  experiment: Experiment,
  cluster: ClusterWatch,
  groups: GroupWatch,
): Promise<LastLook> {
  const partitions = experiment.topics.flatMap((t) =>
    Array.from({ length: t.partitions }, (_, partition) => ({ topic: t.name, partition })),
  )
  await until(OPEN_LIMIT_MS, async () => (await openTransactions(client, partitions)).length === 0)
  const final = await readEverything(client, experiment.topics, hasProgram(experiment))
  groups.samples.push(...(await groups.look().catch(() => [])))
  const views = await agreement(client, cluster)
  return { final, replicas: await readReplicas(client, experiment, views) }
}

/** What all brokers say, once they say the same, or when they have had the time to. */
async function agreement(client: ClusterClient, cluster: ClusterWatch): Promise<readonly BrokerView[]> {
  const brokers = await client.brokers()
  let views: BrokerView[] = []
  await until(AGREE_LIMIT_MS, async () => {
    views = (await Promise.all(brokers.map((id) => cluster.look(id)))).flat()
    const said = new Set(
      views.map((v) => `${v.topic}-${v.partition} ${v.leader} ${v.leaderEpoch} ${[...v.isr].sort().join(' ')}`),
    )
    return said.size === new Set(views.map((v) => `${v.topic}-${v.partition}`)).size
  })
  return views
}
