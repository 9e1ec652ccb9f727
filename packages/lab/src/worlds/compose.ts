// The world `compose`: each node in a container of its own, Toxiproxy's on every link, and a director that may kill, stop and start containers.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { ClusterControl, type Compose, findCompose, freePorts } from '@faultline/director'
import type { Experiment } from '../experiment/schema.ts'
import { until } from '../run/until.ts'
import { composeFileOf } from './compose-file.ts'
import type { RunningWorld } from './world.ts'

const HERE = '127.0.0.1'
const SOCKET = '/var/run/docker.sock'
const READY_LIMIT_MS = 60_000

export interface ComposeOptions {
  /** The folder with compose.yaml. */
  readonly docker: string
  /** Where logs go of containers that do not get well. */
  readonly logs: string
  readonly tell: (what: string) => void
}

/** Rejects with Refusal NO_DOCKER where there is none. */
export async function startCompose(experiment: Experiment, options: ComposeOptions): Promise<RunningWorld> {
  const { brokers, controllers } = experiment.cluster
  const compose = await findCompose()
  const folder = mkdtempSync(join(tmpdir(), 'faultline-compose-'))
  const file = join(folder, 'compose.json')
  const ports = await freePorts(HERE, brokers + 1)
  const plan = { ...experiment.cluster, ports, engine: { socket: SOCKET, group: groupOf(SOCKET) } }
  writeFileSync(file, composeFileOf(readFileSync(join(options.docker, 'compose.yaml'), 'utf8'), plan))
  const project = `faultline-${experiment.name.toLowerCase().replace(/[^a-z0-9-]/g, '-')}-${process.pid}`
  const ours: Compose = (...args) => compose('-f', file, '--project-directory', options.docker, '-p', project, ...args)
  const nodes = [...idsFrom(101, controllers, 'controller'), ...idsFrom(1, brokers, 'broker')]
  const saveLogs = async (into: string) => {
    const save = async (name: string) => writeFileSync(join(into, `${name}.log`), `${await ours('logs', '--no-color', name)}\n`)
    await Promise.all(nodes.map(save))
  }
  const stop = async () => {
    // Nothing of it is kept. All at once: "down" ends them one after the other.
    await ours('kill').catch(() => {})
    await ours('down', '-v', '-t', '0')
    rmSync(folder, { recursive: true, force: true })
  }
  const cluster = ClusterControl.at(`http://${HERE}:${ports[brokers]}`, null)
  try {
    await build(ours, options)
    await ours('up', '-d')
    await mustGetWell(cluster, () => saveLogs(options.logs), options)
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
  return {
    cluster,
    bootstrap: ports
      .slice(0, brokers)
      .map((port) => `${HERE}:${port}`)
      .join(','),
    saveLogs,
    stop,
  }
}

function idsFrom(first: number, count: number, role: string): string[] {
  return Array.from({ length: count }, (_, i) => `${role}-${first + i}`)
}

/** What did not change is taken from before. An image that FAULTLINE_IMAGE names is taken as it is. */
async function build(compose: Compose, { tell }: ComposeOptions): Promise<void> {
  if (process.env['FAULTLINE_IMAGE']) return
  tell('building the image: minutes the first time, seconds later')
  await compose('build', 'director').catch((error: Refusal) => {
    const why = error.message.split('\n').at(-1)
    throw new Refusal(
      'NODE_FAILED',
      `the image cannot be built: ${why}`,
      'see all of it: docker compose -f docker/compose.yaml build',
    )
  })
}

async function mustGetWell(cluster: ClusterControl, saveLogs: () => Promise<void>, { logs }: ComposeOptions): Promise<void> {
  let seen: readonly string[] = []
  const well = await until(READY_LIMIT_MS, async () => {
    const nodes = await cluster.nodes().catch(() => [])
    seen = nodes.filter((n) => n.state !== 'running' && n.state !== 'active').map((n) => `${n.name} ${n.state}`)
    return nodes.some((n) => n.state === 'active') && nodes.every((n) => n.role === 'controller' || n.state === 'running')
  })
  if (well) return
  await saveLogs()
  const still = seen.join(', ') || 'its director does not answer'
  throw new Refusal(
    'NODE_FAILED',
    `after ${READY_LIMIT_MS} ms the cluster is not well: ${still}`,
    `what its containers wrote is in ${logs}`,
  )
}

/** Of the engine's socket, where that is a file of this machine's; elsewhere engines give it to root. */
function groupOf(socket: string): number {
  return process.platform === 'linux' ? (statSync(socket, { throwIfNoEntry: false })?.gid ?? 0) : 0
}
