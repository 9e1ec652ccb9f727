// The world `local`: nodes are child processes on this machine, and links go to their ports, or through proxies to them.
import { mkdirSync, writeFileSync } from 'node:fs'
import type { NodeConfig } from '@faultline/node'
import type { ClusterDescription, ClusterFolder, NodeAddress } from './cluster-folder.ts'
import { Fleet, type FleetContext } from './fleet.ts'
import { allLinks, type Link } from './links/link.ts'
import { type LinkTarget, ProxiedLinks } from './links/proxied-links.ts'
import { NodeProcess } from './node-process.ts'
import { PortMarks } from './ports.ts'

const BROKER_GRACE_MS = 20_000
const CONTROLLER_GRACE_MS = 5_000

export interface LocalFleetOptions extends FleetContext {
  readonly folder: ClusterFolder
  readonly program: string
  readonly detached: boolean
}

export class LocalFleet extends Fleet<NodeProcess> {
  readonly nodes: readonly NodeProcess[]
  readonly #o: LocalFleetOptions
  readonly #cluster: ClusterDescription
  /** A node that is down finds its ports free when it comes back. */
  readonly #marks = new PortMarks()
  #links: ProxiedLinks | undefined

  constructor(options: LocalFleetOptions) {
    super()
    const { folder, program, detached, events } = options
    this.#o = options
    this.#cluster = folder.describe()
    this.nodes = this.#cluster.nodes.map((address) => new NodeProcess(address, folder, program, detached))
    mkdirSync(folder.socketFolder, { recursive: true })
    for (const node of this.nodes) node.onExit = ({ name, exit }) => events.emit('process.exit', { name, how: exit })
  }

  get clusterId(): string {
    return this.#cluster.clusterId
  }

  get bootstrap(): string {
    const { nodes, advertise } = this.#cluster
    const brokers = nodes.filter((n) => n.role === 'broker')
    return brokers.map((n) => `${advertise}:${n.port}`).join(',')
  }

  get clientAddresses(): string[] {
    return this.bootstrap.split(',')
  }

  get links(): ProxiedLinks | undefined {
    return this.#links
  }

  async prepare(): Promise<void> {
    void this.#marks.keep([...new Set(this.#cluster.nodes.flatMap(portsOf))])
    if (!this.#cluster.proxied) return
    this.#links = await ProxiedLinks.start(this.#o.program, this.#cluster.proxied.toxiproxy)
    await this.#links.create(this.#linkTargets())
  }

  async startAll(): Promise<void> {
    const { folder } = this.#o
    for (const node of this.nodes) writeFileSync(folder.config(node.name), JSON.stringify(this.#config(node.address)))
    for (const node of this.nodes) this.start(node)
  }

  start(node: NodeProcess): void {
    writeFileSync(this.#o.folder.faults(node.name), JSON.stringify(this.#o.faultsFor(node.name)))
    node.start()
    const { pid } = node
    this.#o.events.emit('process.start', { name: node.name, pid })
    const { folder, events } = this.#o
    events.follow(node.socket, folder.log(node.name), () => node.pid !== pid || node.state === 'exited')
  }

  /** Brokers first: their controlled shutdown needs the controllers. */
  async stopAll(): Promise<void> {
    const of = (role: string) => this.nodes.filter((n) => n.address.role === role)
    await Promise.all(of('broker').map((n) => n.stop(BROKER_GRACE_MS)))
    await Promise.all(of('controller').map((n) => n.stop(CONTROLLER_GRACE_MS)))
    await this.#links?.close()
  }

  resume(node: NodeProcess): void {
    node.signal('SIGCONT')
    this.#o.events.emit('process.resume', { name: node.name })
  }

  override dataOf(node: NodeProcess): string {
    return this.#o.folder.data(node.name)
  }

  protected kill(node: NodeProcess): Promise<void> {
    node.signal('SIGKILL')
    return node.ended()
  }

  protected terminate(node: NodeProcess): Promise<void> {
    return node.stop(BROKER_GRACE_MS)
  }

  protected pause(node: NodeProcess): void {
    node.signal('SIGSTOP')
    this.#o.events.emit('process.pause', { name: node.name })
  }

  /** Signals of children come by themselves. */
  protected async look(): Promise<void> {}

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
    const clients = [{ listener: 'PLAINTEXT', host, port: address.clientPort }]
    const own =
      address.role === 'controller'
        ? { control, http }
        : { control, http, replication: `127.0.0.1:${address.replicationPort}`, clients }
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

function portsOf({ port, clientPort, controlPort, replicationPort, httpPort }: NodeAddress): number[] {
  return [port, clientPort, controlPort, replicationPort, httpPort].filter((number) => number > 0)
}

function nameOf({ role, id }: NodeAddress): string {
  return `${role}:${id}`
}
