// The world `local`: processes on this machine.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { startCluster } from '@faultline/director'
import type { Experiment } from '../experiment/schema.ts'
import type { RunningWorld } from './world.ts'

/** `program` is where the bundles are. */
export async function startLocal({ cluster: wanted }: Experiment, program: string): Promise<RunningWorld> {
  const { brokers, controllers, fast, proxied, settings } = wanted
  const { cluster, bootstrap, stop } = await startCluster({ brokers, controllers, fast, proxied, settings }, program)
  const saveLogs = async (folder: string) => cpSync(join(cluster.folder.path, 'logs'), folder, { recursive: true })
  return { cluster, bootstrap, saveLogs, stop }
}
