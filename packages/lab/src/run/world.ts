// Where an experiment runs: how its cluster is had, and what becomes of it.
import { join } from 'node:path'
import { type Cluster, startCluster } from '@faultline/director'
import type { Experiment } from '../experiment/schema.ts'

export interface RunningWorld {
  readonly cluster: Cluster
  readonly bootstrap: string
  /** Folder with a log for each node. */
  readonly logs: string
  /** Nothing of it is left. */
  stop(): Promise<void>
}

/** Processes on this machine; `program` is where the bundles are. */
export async function startLocal({ cluster: wanted }: Experiment, program: string): Promise<RunningWorld> {
  const { brokers, controllers, fast, proxied, settings } = wanted
  const { cluster, bootstrap, stop } = await startCluster({ brokers, controllers, fast, proxied, settings }, program)
  return { cluster, bootstrap, logs: join(cluster.folder.path, 'logs'), stop }
}
