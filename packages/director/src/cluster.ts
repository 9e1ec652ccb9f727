// A cluster as a program drives it: started on a folder, asked, broken and healed through its supervisor.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal, type RefusalCode } from '@faultline/base'
import { ClusterFolder } from './cluster-folder.ts'
import { askSocket } from './json-socket.ts'
import { type ClusterWish, planCluster } from './plan-cluster.ts'
import { checkPorts } from './ports.ts'
import type { NodeReport, NodeView, SupervisorRequest } from './supervisor.ts'

export interface StartOptions extends ClusterWish {
  readonly folder: string
  readonly detached: boolean
  /** Where node.cjs and supervisor.cjs are. */
  readonly program: string
}

const ASK_TIMEOUT_MS = 30_000
const START_TIMEOUT_MS = 30_000
const POLL_MS = 25

type Reply<T> = { readonly ok: T } | { readonly refused: { code: RefusalCode; message: string; advice: string } }

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
    folder.prepare()
    if (folder.exists) await checkKnownPorts(folder)
    else folder.write(await planCluster(options))
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
    return this.#ask({ verb: 'nodes' })
  }

  status(): Promise<NodeReport[]> {
    return this.#ask({ verb: 'status' })
  }

  act(verb: 'kill' | 'pause' | 'resume' | 'restart', node: string): Promise<NodeView> {
    return this.#ask({ verb, node })
  }

  /** The node that `selector` means now: "broker:2", "leader:orders-0", "coordinator:group:NAME". */
  find(selector: string): Promise<NodeView> {
    return this.#ask({ verb: 'find', node: selector })
  }

  async down(wipe: boolean): Promise<void> {
    await this.#ask({ verb: 'down', wipe })
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

  /** The supervisor's socket appears a moment after its process. */
  async #nodesOrNone(): Promise<NodeView[]> {
    try {
      return await this.nodes()
    } catch (error) {
      if (error instanceof Refusal) throw error
      return []
    }
  }

  #startFailed(what: string, log: string): Refusal {
    return new Refusal('NODE_FAILED', what, `read why in ${log}`)
  }

  async #ask<T>(request: SupervisorRequest): Promise<T> {
    const reply = await askSocket<Reply<T>>(this.folder.socket('supervisor'), request, ASK_TIMEOUT_MS)
    if ('refused' in reply) throw new Refusal(reply.refused.code, reply.refused.message, reply.refused.advice)
    return reply.ok
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
