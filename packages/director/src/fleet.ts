// The nodes of one cluster as processes: started, found by name or role, broken and mended, asked over their management planes.
import { mkdirSync, writeFileSync } from 'node:fs'
import { Refusal } from '@faultline/base'
import type { NodeFault } from '@faultline/fault'
import type { ManagementRequest, NodeConfig } from '@faultline/node'
import type { ClusterDescription, ClusterFolder, NodeAddress } from './cluster-folder.ts'
import type { ClusterEvents } from './events/cluster-events.ts'
import { askSocket } from './json-socket.ts'
import { allLinks, type Link } from './links/link.ts'
import { type LinkTarget, ProxiedLinks } from './links/proxied-links.ts'
import { NodeProcess, type NodeStatus } from './node-process.ts'
import { holderOf, ROLES } from './role.ts'

export interface NodeView {
  readonly id: number
  readonly role: 'broker' | 'controller'
  readonly name: string
  readonly pid: number
  readonly port: number
  /** Of /metrics and /health. */
  readonly httpPort: number
  readonly state: string
}

/** One controller's or broker's answer, beside the view of its process. */
export interface NodeReport extends NodeView {
  readonly report: NodeStatus | undefined
}

export const PROCESS_VERBS = ['kill', 'terminate', 'pause', 'resume', 'restart'] as const
export type ProcessVerb = (typeof PROCESS_VERBS)[number]

const BROKER_GRACE_MS = 20_000
const CONTROLLER_GRACE_MS = 5_000
const MANAGE_TIMEOUT_MS = 2000

export interface FleetOptions {
  readonly folder: ClusterFolder
  readonly program: string
  readonly detached: boolean
  readonly events: ClusterEvents
  /** What a node that starts is armed with. */
  readonly faultsFor: (name: string) => readonly NodeFault[]
}

export class Fleet {
  readonly nodes: readonly NodeProcess[]
  readonly #o: FleetOptions
  readonly #cluster: ClusterDescription
  #links: ProxiedLinks | undefined

  constructor(options: FleetOptions) {
    const { folder, program, detached, events } = options
    this.#o = options
    this.#cluster = folder.describe()
    this.nodes = this.#cluster.nodes.map((address) => new NodeProcess(address, folder, program, detached))
    mkdirSync(folder.socketFolder, { recursive: true })
    for (const node of this.nodes) node.onExit = ({ name, exit }) => events.emit('process.exit', { name, how: exit })
  }

  get description(): ClusterDescription {
    return this.#cluster
  }

  /** The proxies of a proxied cluster. */
  get links(): ProxiedLinks | undefined {
    return this.#links
  }

  /** Throws Refusal when the proxies of the links cannot be had. */
  async startAll(): Promise<void> {
    const { folder, program } = this.#o
    if (this.#cluster.proxied) {
      this.#links = await ProxiedLinks.start(program, this.#cluster.proxied.toxiproxy)
      await this.#links.create(this.#linkTargets())
    }
    for (const node of this.nodes) writeFileSync(folder.config(node.name), JSON.stringify(this.#config(node.address)))
    for (const node of this.nodes) this.start(node)
  }

  start(node: NodeProcess): void {
    writeFileSync(this.#o.folder.faults(node.name), JSON.stringify(this.#o.faultsFor(node.name)))
    node.start()
    const { pid } = node
    this.#o.events.emit('process.start', { name: node.name, pid })
    const { folder, events } = this.#o
    events.follow(folder.socket(node.name), folder.log(node.name), () => node.pid !== pid || node.state === 'exited')
  }

  /** Brokers first: their controlled shutdown needs the controllers. */
  async stopAll(): Promise<void> {
    const of = (role: string) => this.nodes.filter((n) => n.address.role === role)
    await Promise.all(of('broker').map((n) => n.stop(BROKER_GRACE_MS)))
    await Promise.all(of('controller').map((n) => n.stop(CONTROLLER_GRACE_MS)))
    await this.#links?.close()
  }

  namesOf(role: 'broker' | 'controller'): string[] {
    return this.nodes.filter((n) => n.address.role === role).map((n) => n.name)
  }

  /** Asks a node over its management plane; undefined when it does not answer, or does not run. */
  async manage<T>(name: string, request: ManagementRequest): Promise<T | undefined> {
    const node = this.nodes.find((n) => n.name === name)
    if (node?.state !== 'running') return undefined
    try {
      return await askSocket<T>(this.#o.folder.socket(name), request, MANAGE_TIMEOUT_MS)
    } catch {
      return undefined
    }
  }

  async views(): Promise<NodeView[]> {
    return Promise.all(this.nodes.map(async (n) => this.view(n, await n.status())))
  }

  async reports(): Promise<NodeReport[]> {
    return Promise.all(this.nodes.map((n) => this.report(n)))
  }

  async act(verb: ProcessVerb, node: NodeProcess): Promise<void> {
    const wrong = (what: string, advice: string) => new Refusal('BAD_ARGUMENT', `${node.name} ${what}`, advice)
    if (verb !== 'restart' && node.state === 'exited')
      throw wrong('is not running', `start it with: npx faultline restart ${node.name}`)
    switch (verb) {
      case 'kill':
        node.signal('SIGKILL')
        return node.ended()
      case 'terminate':
        return node.stop(BROKER_GRACE_MS)
      case 'pause':
        node.signal('SIGSTOP')
        return this.#o.events.emit('process.pause', { name: node.name })
      case 'resume':
        if (node.state !== 'paused') throw wrong('is not paused', 'nothing to do')
        return this.resume(node)
      case 'restart':
        await node.stop(BROKER_GRACE_MS)
        return this.start(node)
    }
  }

  resume(node: NodeProcess): void {
    node.signal('SIGCONT')
    this.#o.events.emit('process.resume', { name: node.name })
  }

  /** By its name, "broker:2" or "controller:101", or by a role that it has now. */
  async resolve(selector: string): Promise<NodeProcess> {
    const named = (name: string) => this.nodes.find((n) => n.name === name)
    const byName = named(selector)
    if (byName) return byName
    const reports = await Promise.all(this.nodes.map((n) => this.report(n)))
    const holder = holderOf(
      selector,
      reports.find((r) => r.report?.state === 'active'),
    )
    if (holder) return named(holder)!
    const names = this.nodes.map((n) => n.name).join(', ')
    throw new Refusal('UNKNOWN_NODE', `${selector} is no node of this cluster`, `use one of ${names}, ${ROLES}`)
  }

  view(node: NodeProcess, report: NodeStatus | undefined): NodeView {
    const { id, role, port, httpPort } = node.address
    const state =
      node.state === 'running' ? (report?.state ?? 'starting') : node.state === 'paused' ? 'paused' : `stopped (${node.exit})`
    return { id, role, name: node.name, pid: node.pid, port, httpPort, state }
  }

  async report(node: NodeProcess): Promise<NodeReport> {
    const report = await node.status()
    return { ...this.view(node, report), report }
  }

  #config(address: NodeAddress): NodeConfig {
    const { clusterId, host, advertise, settings, nodes } = this.#cluster
    const name = `${address.role}:${address.id}`
    const mine = allLinks(nodes.map(nameOf)).filter((link) => link.source === name)
    const links = mine.map((link) => [
      `${link.target.split(':')[1]}/${link.plane}`,
      this.#links?.address(link) ?? this.#direct(link),
    ])
    const control = `127.0.0.1:${address.controlPort}`
    const http = { host: '127.0.0.1', port: address.httpPort }
    const own =
      address.role === 'controller'
        ? { control, http }
        : { control, http, replication: `127.0.0.1:${address.replicationPort}`, client: { host, port: address.clientPort } }
    return {
      role: address.role,
      id: address.id,
      clusterId,
      dataDirectory: this.#o.folder.data(name),
      controllers: nodes.filter((n) => n.role === 'controller').map((n) => n.id),
      links: Object.fromEntries(links) as Record<string, string>,
      listen: own,
      listeners: address.role === 'broker' ? [{ name: 'PLAINTEXT', host: advertise, port: address.port }] : [],
      rack: address.rack,
      settings,
      management: this.#o.folder.socket(name),
      followsSupervisor: !this.#o.detached,
      faults: this.#o.folder.faults(name),
    }
  }

  /** Without a proxy. */
  #direct({ target, plane }: Link): string {
    const node = this.#cluster.nodes.find((n) => nameOf(n) === target)!
    const port = { client: node.clientPort, control: node.controlPort, replication: node.replicationPort }[plane]
    return `127.0.0.1:${port}`
  }

  /** A client's proxy listens where clients look for the broker. */
  #linkTargets(): LinkTarget[] {
    const { nodes, host } = this.#cluster
    return allLinks(nodes.map(nameOf)).map((link) => {
      const { port } = nodes.find((n) => nameOf(n) === link.target)!
      const listen = link.plane === 'client' ? `${host}:${port}` : '127.0.0.1:0'
      return { link, listen, upstream: this.#direct(link) }
    })
  }
}

function nameOf({ role, id }: NodeAddress): string {
  return `${role}:${id}`
}
