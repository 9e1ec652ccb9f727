// The entry of the supervisor process: supervisor.cjs FOLDER [detached]. Not detached, it ends with its standard input, and its nodes with it.
import { Refusal } from '@faultline/base'
import { ClusterFolder } from './cluster-folder.ts'
import type { FleetContext } from './fleet.ts'
import { LocalFleet } from './local-fleet.ts'
import { Supervisor } from './supervisor.ts'

const [path, mode] = process.argv.slice(2)
const detached = mode === 'detached'
process.title = 'faultline-supervisor'

async function run(): Promise<void> {
  const folder = new ClusterFolder(path!)
  folder.claim({ pid: process.pid, api: undefined, detached })
  const { api } = folder.describe()
  const release = (wipe: boolean) => {
    folder.release()
    if (wipe) folder.wipe()
  }
  const world = (context: FleetContext) => new LocalFleet({ ...context, folder, program: __dirname, detached })
  const supervisor = new Supervisor(world, release)
  const end = () => void supervisor.down(false).then(() => process.exit(0))
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.on('SIGHUP', () => (detached ? undefined : end()))
  if (!detached) process.stdin.on('end', end).on('error', end).resume()
  const port = await supervisor.start({ ...api, onDown: () => process.exit(0) })
  folder.claim({ pid: process.pid, api: `http://${api.host === '0.0.0.0' ? '127.0.0.1' : api.host}:${port}`, detached })
}

run().catch((error: unknown) => {
  const { message, advice } = error instanceof Refusal ? error : { message: String((error as Error).stack), advice: '' }
  process.stderr.write(`${message}\n${advice}\n`)
  process.exit(78)
})
