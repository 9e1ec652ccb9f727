// The world `compose`: each node in a container of its own, Toxiproxy's on every link, and a director that may kill, stop and start containers.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { ClusterControl, type Compose, findCompose, freePorts, isUp, PortMarks } from '@faultline/director'
import type { Experiment } from '../experiment/schema.ts'
import { until } from '../run/until.ts'
import { composeFileOf, servicesOf } from './compose-file.ts'
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

/** What the director cannot do to containers, told before one is started. */
function checkFaults({ timeline }: Experiment): void {
  const wiped = timeline.find(({ fault }) => fault?.kind === 'wipe')?.fault?.node
  if (wiped === undefined) return
  const what = `the data of ${wiped} is on a volume, which the director cannot reach to wipe it`
  throw new Refusal('BAD_FAULT', what, 'run it with --world local')
}

/** Rejects with Refusal NO_DOCKER where there is none. */
export async function startCompose(experiment: Experiment, options: ComposeOptions): Promise<RunningWorld> {
  checkFaults(experiment)
  const { brokers } = experiment.cluster
  const compose = await findCompose()
  const marks = new PortMarks()
  const ports = await freePorts(HERE, brokers + 1, marks)
  const world = new ComposeWorld(compose, experiment, { ports, marks }, options.docker)
  try {
    await world.up(options)
  } catch (error) {
    await world.stop().catch(() => {})
    throw error
  }
  return world
}

interface Ports {
  /** Of each broker, and of the control API. */
  readonly ports: readonly number[]
  readonly marks: PortMarks
}

class ComposeWorld implements RunningWorld {
  readonly cluster: ClusterControl
  readonly bootstrap: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'faultline-compose-'))
  readonly #compose: Compose
  readonly #nodes: readonly string[]

  readonly #marks: PortMarks

  constructor(compose: Compose, { name, cluster }: Experiment, { ports, marks }: Ports, docker: string) {
    this.#marks = marks
    const { brokers, controllers } = cluster
    this.cluster = ClusterControl.at(`http://${HERE}:${ports[brokers]}`, null)
    const addresses = ports.slice(0, brokers).map((port) => `${HERE}:${port}`)
    this.bootstrap = addresses.join(',')
    this.#nodes = [...servicesOf('controller', controllers), ...servicesOf('broker', brokers)]
    const plan = { ...cluster, ports, engine: { socket: SOCKET, group: groupOf(SOCKET) } }
    const file = join(this.#folder, 'compose.json')
    writeFileSync(file, composeFileOf(readFileSync(join(docker, 'compose.yaml'), 'utf8'), plan))
    const project = `faultline-${name.toLowerCase().replace(/[^a-z0-9-]/g, '-')}-${process.pid}`
    this.#compose = (...args) => compose('-f', file, '--project-directory', docker, '-p', project, ...args)
  }

  /** Rejects with Refusal when it does not get well. */
  async up({ logs, tell }: ComposeOptions): Promise<void> {
    await build(this.#compose, tell)
    tell('starting the containers')
    await this.#compose('up', '-d')
    const missing = await stillMissing(this.cluster)
    if (missing === '') return
    await this.saveLogs(logs)
    throw new Refusal('NODE_FAILED', `after ${READY_LIMIT_MS} ms: ${missing}`, `what containers wrote is in ${logs}`)
  }

  async saveLogs(folder: string): Promise<void> {
    const save = async (name: string) =>
      writeFileSync(join(folder, `${name}.log`), `${await this.#compose('logs', '--no-color', name)}\n`)
    await Promise.all(this.#nodes.map(save))
  }

  async stop(): Promise<void> {
    // Nothing of it is kept. All at once: "down" ends them one after the other.
    await this.#compose('kill').catch(() => {})
    await this.#compose('down', '-v', '-t', '0')
    rmSync(this.#folder, { recursive: true, force: true })
    this.#marks.release()
  }
}

/** What did not change is taken from before. An image that FAULTLINE_IMAGE names is taken as it is. */
async function build(compose: Compose, tell: ComposeOptions['tell']): Promise<void> {
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

/** What is not well when its time is over; nothing when all is. */
async function stillMissing(cluster: ClusterControl): Promise<string> {
  let seen: readonly string[] = []
  const well = await until(READY_LIMIT_MS, async () => {
    const nodes = await cluster.nodes().catch(() => [])
    seen = nodes.filter((n) => n.state !== 'running' && n.state !== 'active').map((n) => `${n.name} is ${n.state}`)
    return isUp(nodes)
  })
  return well ? '' : seen.join(', ') || 'the director does not answer'
}

/** Of the engine's socket, where that is a file of this machine's; elsewhere engines give it to root. */
function groupOf(socket: string): number {
  return process.platform === 'linux' ? (statSync(socket, { throwIfNoEntry: false })?.gid ?? 0) : 0
}
