// A cluster as a program drives it on a folder: started, waited for, stopped; and asked, broken and healed through its supervisor.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { ClusterFolder } from './cluster-folder.ts'
import { ClusterControl } from './cluster-control.ts'
import { ControlClient } from './control-client.ts'
import { isUp, type NodeView } from './fleet.ts'
import { type ClusterWish, planCluster } from './plan-cluster.ts'
import { checkPorts, PortMarks } from './ports.ts'

export interface StartOptions extends ClusterWish {
  readonly folder: string
  readonly detached: boolean
  /** Where node.cjs and supervisor.cjs are. */
  readonly program: string
}

const START_TIMEOUT_MS = 30_000
const POLL_MS = 25
const LAST_WORDS =
  'logs/supervisor.log in the folder of the cluster has its last words; start it again with: npx faultline up --dir FOLDER'

export class Cluster extends ClusterControl {
  readonly folder: ClusterFolder

  private constructor(folder: ClusterFolder) {
    super()
    this.folder = folder
  }

  /** The cluster that runs on `path`; refuses when none does. */
  static attach(path: string): Cluster {
    const folder = new ClusterFolder(path)
    if (!folder.supervisor()) {
      throw new Refusal('NO_CLUSTER', `no cluster runs on ${folder.path}`, `start it with: npx faultline up --dir ${folder.path}`)
    }
    return new Cluster(folder)
  }

  /** Starts the processes; `ready` waits for what they do. */
  static async start(options: StartOptions): Promise<Cluster> {
    const folder = new ClusterFolder(options.folder)
    const running = folder.supervisor()
    if (running) throw folder.inUse(running)
    // What is refused leaves no folder.
    const marks = new PortMarks()
    const plan = folder.exists ? undefined : await planCluster(options, marks).catch(released(marks))
    if (!plan) await checkKnownPorts(folder)
    folder.prepare()
    if (plan) folder.write(plan)
    const log = openSync(folder.log('supervisor'), 'a')
    const args = [join(options.program, 'supervisor.cjs'), folder.path, ...(options.detached ? ['detached'] : [])]
    const child = spawn(process.execPath, args, { stdio: [options.detached ? 'ignore' : 'pipe', log, log], detached: true })
    closeSync(log)
    child.unref()
    const cluster = new Cluster(folder)
    cluster.#supervisor = child
    cluster.#marks = marks
    return cluster
  }

  /** When this program started it. */
  #supervisor: ChildProcess | undefined
  /** Of its ports, until the supervisor has them. */
  #marks: PortMarks | undefined

  get bootstrap(): string {
    const { nodes, advertise } = this.folder.describe()
    return nodes
      .filter((n) => n.role === 'broker')
      .map((n) => `${advertise}:${n.port}`)
      .join(',')
  }

  override async down(wipe: boolean): Promise<void> {
    await super.down(wipe)
    const child = this.#supervisor
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    await new Promise((resolve) => child.once('exit', resolve))
  }

  /** Waits until a controller is active and every broker serves; refuses when a node ends instead. */
  async ready(onProgress: (nodes: readonly NodeView[]) => void = () => {}): Promise<NodeView[]> {
    try {
      return await this.#untilReady(onProgress)
    } finally {
      this.#marks?.release()
    }
  }

  async #untilReady(onProgress: (nodes: readonly NodeView[]) => void): Promise<NodeView[]> {
    const deadline = Date.now() + START_TIMEOUT_MS
    for (;;) {
      const nodes = await this.#nodesOrNone()
      onProgress(nodes)
      const failed = nodes.find((n) => n.state.startsWith('stopped'))
      if (failed) throw this.#startFailed(`${failed.name} ${failed.state}`, this.folder.log(failed.name))
      if (isUp(nodes)) return nodes
      if (Date.now() > deadline) throw this.#startFailed('the cluster is not up after 30 s', this.folder.log('supervisor'))
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  /** The control API appears a moment after the supervisor's process. */
  async #nodesOrNone(): Promise<NodeView[]> {
    try {
      return await this.nodes()
    } catch (error) {
      if (error instanceof Refusal && !(error instanceof NotUp)) throw error
      return []
    }
  }

  #startFailed(what: string, log: string): Refusal {
    return new Refusal('NODE_FAILED', what, `read why in ${log}`)
  }

  protected override get control(): ControlClient {
    const { api } = this.folder.supervisor() ?? {}
    if (!api) throw new NotUp()
    return new ControlClient(api, this.folder.describe().api.token, LAST_WORDS)
  }
}

/** Between the start of the supervisor and that of its control API; or for good, if an older program started it. */
class NotUp extends Refusal {
  constructor() {
    super(
      'NO_CLUSTER',
      'the cluster does not answer yet',
      'try again in a moment; if that does not help, end its supervisor: see supervisor.json',
    )
  }
}

function released(marks: PortMarks): (error: Error) => never {
  return (error) => {
    marks.release()
    throw error
  }
}

async function checkKnownPorts(folder: ClusterFolder): Promise<void> {
  const { host, nodes } = folder.describe()
  const advice = `free it: the nodes of ${folder.path} keep their ports; or start another cluster with --dir FOLDER`
  await checkPorts(
    host,
    nodes.filter((n) => n.role === 'broker').map((n) => n.port),
    advice,
  )
}
