// A cluster as a program drives it: started on a folder, asked, broken and healed through its supervisor.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { ClusterFolder } from './cluster-folder.ts'
import { ControlClient } from './control-client.ts'
import type { ClusterEvent } from './events/cluster-events.ts'
import type { FaultView } from './fault/fault-entry.ts'
import type { Kind } from './fault/family.ts'
import type { FaultRequestInput } from './fault/fault-request.ts'
import type { NodeReport, NodeView, ProcessVerb } from './fleet.ts'
import { type ClusterWish, planCluster } from './plan-cluster.ts'
import { checkPorts } from './ports.ts'

export interface StartOptions extends ClusterWish {
  readonly folder: string
  readonly detached: boolean
  /** Where node.cjs and supervisor.cjs are. */
  readonly program: string
}

const START_TIMEOUT_MS = 30_000
const POLL_MS = 25

export interface FaultPoints {
  readonly families: readonly { readonly family: string; readonly kinds: readonly Kind[] }[]
  readonly conditions: readonly { readonly subject: string; readonly key: string; readonly fields: readonly string[] }[]
  /** Points in the code, with where they are. */
  readonly points: Readonly<Record<string, string>>
}

export class Cluster {
  readonly folder: ClusterFolder

  private constructor(folder: ClusterFolder) {
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
    const plan = folder.exists ? undefined : await planCluster(options)
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
    return cluster
  }

  /** When this program started it. */
  #supervisor: ChildProcess | undefined

  get bootstrap(): string {
    const { nodes, advertise } = this.folder.describe()
    return nodes
      .filter((n) => n.role === 'broker')
      .map((n) => `${advertise}:${n.port}`)
      .join(',')
  }

  nodes(): Promise<NodeView[]> {
    return this.#control.call('GET', '/nodes')
  }

  status(): Promise<NodeReport[]> {
    return this.#control.call('GET', '/status')
  }

  act(verb: ProcessVerb, node: string): Promise<NodeView> {
    return this.#control.call('POST', `/nodes/${encodeURIComponent(node)}/${verb}`)
  }

  /** The node that `selector` means now: "broker:2", "leader:orders-0", "controller:active". */
  find(selector: string): Promise<NodeView> {
    return this.#control.call('GET', `/nodes/${encodeURIComponent(selector)}`)
  }

  addFault(request: FaultRequestInput): Promise<FaultView> {
    return this.#control.call('POST', '/faults', request)
  }

  faults(): Promise<FaultView[]> {
    return this.#control.call('GET', '/faults')
  }

  heal(id: string): Promise<FaultView> {
    return this.#control.call('DELETE', `/faults/${encodeURIComponent(id)}`)
  }

  healAll(): Promise<{ readonly healed: number }> {
    return this.#control.call('DELETE', '/faults')
  }

  /** What faults there are, and what conditions can speak of. */
  points(): Promise<FaultPoints> {
    return this.#control.call('GET', '/points')
  }

  events(after: number, signal: AbortSignal): AsyncGenerator<ClusterEvent> {
    return this.#control.events(after, signal)
  }

  async down(wipe: boolean): Promise<void> {
    await this.#control.call('POST', '/down', { wipe })
    const child = this.#supervisor
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    await new Promise((resolve) => child.once('exit', resolve))
  }

  /** Waits until a controller is active and every broker serves; refuses when a node ends instead. */
  async ready(onProgress: (nodes: readonly NodeView[]) => void = () => {}): Promise<NodeView[]> {
    const deadline = Date.now() + START_TIMEOUT_MS
    for (;;) {
      const nodes = await this.#nodesOrNone()
      onProgress(nodes)
      const failed = nodes.find((n) => n.state.startsWith('stopped'))
      if (failed) throw this.#startFailed(`${failed.name} ${failed.state}`, this.folder.log(failed.name))
      const up = nodes.some((n) => n.state === 'active') && nodes.every((n) => n.role === 'controller' || n.state === 'running')
      if (up && nodes.length > 0) return nodes
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

  get #control(): ControlClient {
    const { api } = this.folder.supervisor() ?? {}
    if (!api) throw new NotUp()
    return new ControlClient(api, this.folder.describe().api.token)
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

async function checkKnownPorts(folder: ClusterFolder): Promise<void> {
  const { host, nodes } = folder.describe()
  const advice = `free it: the nodes of ${folder.path} keep their ports; or start another cluster with --dir FOLDER`
  await checkPorts(
    host,
    nodes.filter((n) => n.role === 'broker').map((n) => n.port),
    advice,
  )
}
