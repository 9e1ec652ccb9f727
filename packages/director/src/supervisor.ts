// Runs the nodes of one cluster and answers for them on a socket: who is there, in what state; kill, pause, resume, restart; and the end.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { Refusal } from '@faultline/base'
import type { NodeConfig } from '@faultline/node'
import type { ClusterDescription, ClusterFolder, NodeAddress } from './cluster-folder.ts'
import { NodeProcess, type NodeStatus } from './node-process.ts'
import { holderOf, ROLES } from './role.ts'

export interface NodeView {
  readonly id: number
  readonly role: 'broker' | 'controller'
  readonly name: string
  readonly pid: number
  readonly port: number
  readonly state: string
}

/** One controller's or broker's answer, beside the view of its process. */
export interface NodeReport extends NodeView {
  readonly report: NodeStatus | undefined
}

export type SupervisorRequest =
  | { readonly verb: 'nodes' | 'status' | 'ping' }
  | { readonly verb: 'kill' | 'pause' | 'resume' | 'restart' | 'find'; readonly node: string }
  | { readonly verb: 'down'; readonly wipe: boolean }

const BROKER_GRACE_MS = 20_000
const CONTROLLER_GRACE_MS = 5_000

export class Supervisor {
  readonly #folder: ClusterFolder
  readonly #cluster: ClusterDescription
  readonly #nodes: readonly NodeProcess[]
  #server: Server | undefined
  #ending: Promise<void> | undefined

  constructor(folder: ClusterFolder, program: string, detached: boolean) {
    this.#folder = folder
    this.#cluster = folder.describe()
    this.#nodes = this.#cluster.nodes.map((address) => new NodeProcess(address, folder, program, detached))
    mkdirSync(folder.socketFolder, { recursive: true })
    for (const node of this.#nodes) writeFileSync(folder.config(node.name), JSON.stringify(this.#config(node.address, !detached)))
  }

  async start(): Promise<void> {
    for (const node of this.#nodes) node.start()
    rmSync(this.#folder.socket('supervisor'), { force: true })
    this.#server = createServer((socket) => this.#serve(socket))
    await new Promise<void>((resolve) => this.#server!.listen(this.#folder.socket('supervisor'), resolve))
  }

  /** Brokers first: their controlled shutdown needs the controllers. */
  down(wipe: boolean): Promise<void> {
    this.#ending ??= this.#end(wipe)
    return this.#ending
  }

  async #end(wipe: boolean): Promise<void> {
    const of = (role: string) => this.#nodes.filter((n) => n.address.role === role)
    await Promise.all(of('broker').map((n) => n.stop(BROKER_GRACE_MS)))
    await Promise.all(of('controller').map((n) => n.stop(CONTROLLER_GRACE_MS)))
    this.#folder.release()
    if (wipe) this.#folder.wipe()
  }

  #serve(socket: Socket): void {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: string) => {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop()!
      for (const line of lines) void this.#answer(socket, line)
    })
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    let reply: unknown
    let ends = false
    try {
      const request = JSON.parse(line) as SupervisorRequest
      ends = request.verb === 'down'
      reply = { ok: await this.#handle(request) }
    } catch (error) {
      const { code, message, advice } =
        error instanceof Refusal ? error : { code: 'NODE_FAILED', message: (error as Error).message, advice: '' }
      reply = { refused: { code, message, advice } }
    }
    socket.write(`${JSON.stringify(reply)}\n`, () => {
      if (!ends) return
      this.#server?.close()
      setImmediate(() => process.exit(0))
    })
  }

  async #handle(request: SupervisorRequest): Promise<unknown> {
    switch (request.verb) {
      case 'ping':
        return { pid: process.pid }
      case 'nodes':
        return Promise.all(this.#nodes.map(async (n) => this.#view(n, await n.status())))
      case 'status':
        return Promise.all(this.#nodes.map((n) => this.#report(n)))
      case 'down':
        return this.down(request.wipe)
      default: {
        const node = await this.#resolve(request.node)
        if (request.verb !== 'find') await this.#act(request.verb, node)
        return this.#view(node, await node.status())
      }
    }
  }

  async #act(verb: 'kill' | 'pause' | 'resume' | 'restart', node: NodeProcess): Promise<void> {
    const wrong = (what: string, advice: string) => new Refusal('BAD_ARGUMENT', `${node.name} ${what}`, advice)
    if (verb !== 'restart' && node.state === 'exited')
      throw wrong('is not running', `start it with: npx faultline restart ${node.name}`)
    switch (verb) {
      case 'kill':
        node.signal('SIGKILL')
        return node.ended()
      case 'pause':
        return node.signal('SIGSTOP')
      case 'resume':
        if (node.state !== 'paused') throw wrong('is not paused', 'nothing to do')
        return node.signal('SIGCONT')
      case 'restart':
        await node.stop(BROKER_GRACE_MS)
        return node.start()
    }
  }

  /** By its name, "broker:2" or "controller:101", or by a role that it has now. */
  async #resolve(selector: string): Promise<NodeProcess> {
    const named = (name: string) => this.#nodes.find((n) => n.name === name)
    const byName = named(selector)
    if (byName) return byName
    const reports = await Promise.all(this.#nodes.map((n) => this.#report(n)))
    const holder = holderOf(
      selector,
      reports.find((r) => r.report?.state === 'active'),
    )
    if (holder) return named(holder)!
    const names = this.#nodes.map((n) => n.name).join(', ')
    throw new Refusal('UNKNOWN_NODE', `${selector} is no node of this cluster`, `use one of ${names}, ${ROLES}`)
  }

  #view(node: NodeProcess, report: NodeStatus | undefined): NodeView {
    const { id, role, port } = node.address
    const state =
      node.state === 'running' ? (report?.state ?? 'starting') : node.state === 'paused' ? 'paused' : `stopped (${node.exit})`
    return { id, role, name: node.name, pid: node.pid, port, state }
  }

  async #report(node: NodeProcess): Promise<NodeReport> {
    const report = await node.status()
    return { ...this.#view(node, report), report }
  }

  #config(address: NodeAddress, followsSupervisor: boolean): NodeConfig {
    const { clusterId, host, advertise, settings, nodes } = this.#cluster
    const name = `${address.role}:${address.id}`
    const links: Record<string, string> = {}
    for (const node of nodes) {
      links[`${node.id}/control`] = `127.0.0.1:${node.controlPort}`
      if (node.role === 'broker') links[`${node.id}/replication`] = `127.0.0.1:${node.replicationPort}`
    }
    const control = `127.0.0.1:${address.controlPort}`
    const own =
      address.role === 'controller'
        ? { control }
        : { control, replication: `127.0.0.1:${address.replicationPort}`, client: { host, port: address.port } }
    return {
      role: address.role,
      id: address.id,
      clusterId,
      dataDirectory: this.#folder.data(name),
      controllers: nodes.filter((n) => n.role === 'controller').map((n) => n.id),
      links,
      listen: own,
      listeners: address.role === 'broker' ? [{ name: 'PLAINTEXT', host: advertise, port: address.port }] : [],
      rack: address.rack,
      settings,
      management: this.#folder.socket(name),
      followsSupervisor,
      faults: [],
    }
  }
}
