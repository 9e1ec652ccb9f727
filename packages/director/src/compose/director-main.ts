// The entry of the director as a container: told what there is by its environment (docker/compose.yaml).
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { ClusterFolder, newClusterId } from '../cluster-folder.ts'
import { FaultFile } from '../fault/fault-file.ts'
import type { FleetContext } from '../fleet.ts'
import { Supervisor } from '../supervisor.ts'
import { ComposeFleet } from './compose-fleet.ts'
import { planCompose } from './compose-plan.ts'

/** On a volume: the cluster keeps its id. Also where the command line looks, in this container. */
const FOLDER = '/var/lib/faultline/cluster'

process.title = 'faultline-director'

async function run(): Promise<void> {
  // Nodes go on without it, and find it again.
  process.on('SIGTERM', () => process.exit(0))
  process.on('SIGINT', () => process.exit(0))
  const folder = new ClusterFolder(FOLDER)
  folder.prepare()
  // Of this container's last run; it has only one director.
  rmSync(join(FOLDER, 'supervisor.json'), { force: true })
  const plan = planCompose(process.env, folder.exists ? folder.describe().clusterId : newClusterId())
  folder.write(plan)
  const supervisor = new Supervisor(
    (context: FleetContext) => new ComposeFleet(plan, context),
    () => {},
    new FaultFile(join(FOLDER, 'faults.json')),
  )
  const port = await supervisor.start({ ...plan.api, onDown: () => {} })
  folder.claim({ pid: process.pid, api: `http://127.0.0.1:${port}`, detached: true })
  process.stdout.write(`the control API listens on port ${port}\n`)
}

run().catch((error: unknown) => {
  const { message, advice } = error instanceof Refusal ? error : { message: String((error as Error).stack), advice: '' }
  process.stderr.write(`${message}\n${advice}\n`)
  process.exit(78)
})
