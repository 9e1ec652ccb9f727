// The nodes of one cluster, found by name or role, broken and mended, asked over their management planes. What they are made of, processes of
// this machine or containers, is what a world knows.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Refusal } from '@faultline/base'
import type { NodeFault } from '@faultline/fault'
import { edgeFolder, type ManagementRequest } from '@faultline/node'
import type { NodeAddress } from './cluster-folder.ts'
import type { ClusterEvents } from './events/cluster-events.ts'
import { askSocket } from './json-socket.ts'
import type { ProxiedLinks } from './links/proxied-links.ts'
import { holderOf, noNode } from './role.ts'

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

/** A controller is active, and every broker serves. */
export function isUp(nodes: readonly NodeView[]): boolean {
  return nodes.some((n) => n.state === 'active') && nodes.every((n) => n.role === 'controller' || n.state === 'running')
}

/** What a node says of itself. */
export interface NodeStatus {
  readonly state: string
  readonly [field: string]: unknown
}

/** One controller's or broker's answer, beside the view of its process. */
export interface NodeReport extends NodeView {
  readonly report: NodeStatus | undefined
}

export type ProcessState = 'running' | 'paused' | 'exited'

export interface FleetNode {
  readonly address: NodeAddress
  readonly name: string
  /** Of its process, where that is on this machine; else -1. */
  readonly pid: number
  readonly state: ProcessState
  /** How it ended, "SIGKILL" or "exit code 70"; empty while it runs. */
  readonly exit: string
  /** Path of its management socket. */
  readonly socket: string
  /** It has answered since its process started. */
  answered: boolean
}

export const PROCESS_VERBS = ['kill', 'terminate', 'pause', 'resume', 'restart'] as const
export type ProcessVerb = (typeof PROCESS_VERBS)[number]

/** Nodes are containers. */
export interface Containers {
  /** The id of the director's own. */
  readonly director: string
  /** It has the Docker engine's socket: it ends, stops and starts those of nodes itself. */
  readonly engine: boolean
}

/** What a world is given. */
export interface FleetContext {
  readonly events: ClusterEvents
  /** What a node that starts is armed with. */
  readonly faultsFor: (name: string) => readonly NodeFault[]
  /** A fault of this id is held, so that who is armed with it is so rightly. */
  readonly isHeld: (id: string) => boolean
}

const STATUS_TIMEOUT_MS = 1000
const MANAGE_TIMEOUT_MS = 2000

export abstract class Fleet<N extends FleetNode = FleetNode> {
  abstract readonly nodes: readonly N[]
  abstract readonly clusterId: string
  /** "localhost:9092,…", for clients on this machine. */
  abstract readonly bootstrap: string
  /** The same, in the same order, as the director itself gets there. */
  abstract readonly clientAddresses: readonly string[]
  /** Null where nodes are processes of this machine. */
  get containers(): Containers | null {
    return null
  }
  /** The proxies of a proxied cluster. */
  abstract readonly links: ProxiedLinks | undefined

  /** What nodes need before they start. Throws Refusal when the proxies of the links cannot be had. */
  abstract prepare(): Promise<void>
  abstract startAll(): Promise<void>
  /** Throws Refusal where somebody else has to. */
  abstract stopAll(): Promise<void>
  abstract start(node: N): void | Promise<void>
  /** Lets a stopped one go on. */
  abstract resume(node: N): void | Promise<void>
  protected abstract kill(node: N): Promise<void>
  protected abstract terminate(node: N): Promise<void>
  protected abstract pause(node: N): void | Promise<void>
  /** Until `state` of each node is what it is now. */
  protected abstract look(): Promise<void>

  /** Where nodes count together: they all reach it, and no fault does. */
  get tallyFolder(): string {
    return dirname(this.nodes[0]!.socket)
  }

  /** Throws Refusal where somebody else has to end, stop and start nodes, and says how; `verb` when it is one for one node. */
  checkActs(_node?: string, _verb?: ProcessVerb): void {}

  /** The folder with a node's data, where the director can reach it. */
  dataOf(_node: N): string | undefined {
    return undefined
  }

  namesOf(role: 'broker' | 'controller'): string[] {
    return this.nodes.filter((n) => n.address.role === role).map((n) => n.name)
  }

  /** Asks a node over its management plane; undefined when it does not answer, or does not run. */
  async manage<T>(name: string, request: ManagementRequest): Promise<T | undefined> {
    const node = this.nodes.find((n) => n.name === name)
    return node && ask<T>(node, request, MANAGE_TIMEOUT_MS)
  }

  /** Brokers note what clients ask, those that start later as well. */
  async record(): Promise<void> {
    mkdirSync(edgeFolder(this.tallyFolder), { recursive: true })
    await Promise.all(this.namesOf('broker').map((name) => this.manage(name, { verb: 'record' })))
  }

  async views(): Promise<NodeView[]> {
    await this.look()
    return Promise.all(this.nodes.map(async (n) => view(n, await statusOf(n))))
  }

  async reports(): Promise<NodeReport[]> {
    await this.look()
    return Promise.all(this.nodes.map(report))
  }

  /** The node and what it says of itself. */
  async view(node: FleetNode): Promise<NodeView> {
    return view(node, await statusOf(node))
  }

  async act(verb: ProcessVerb, node: N): Promise<void> {
    const wrong = (what: string, advice: string) => new Refusal('BAD_ARGUMENT', `${node.name} ${what}`, advice)
    if (verb !== 'restart' && node.state === 'exited')
      throw wrong('is not running', `start it with: npx faultline restart ${node.name}`)
    switch (verb) {
      case 'kill':
        return this.kill(node)
      case 'terminate':
        return this.terminate(node)
      case 'pause':
        if (node.state === 'paused') throw wrong('is paused already', `let it go on with: npx faultline resume ${node.name}`)
        return this.pause(node)
      case 'resume':
        if (node.state !== 'paused') throw wrong('is not paused', 'nothing to do')
        return this.resume(node)
      case 'restart':
        await this.terminate(node)
        return this.start(node)
    }
  }

  /** By its name, "broker:2" or "controller:101", or by a role that it has now. */
  async resolve(selector: string): Promise<N> {
    const named = (name: string) => this.nodes.find((n) => n.name === name)
    const byName = named(selector)
    if (byName) {
      await this.look()
      return byName
    }
    const active = (await this.reports()).find((r) => r.report?.state === 'active')
    const holder = holderOf(selector, active)
    if (holder) return named(holder)!
    throw noNode(
      selector,
      this.nodes.map((n) => n.name),
    )
  }
}

function view(node: FleetNode, status: NodeStatus | undefined): NodeView {
  const { id, role, port, httpPort } = node.address
  const silent = node.answered ? 'silent' : 'starting'
  const state =
    node.state === 'running' ? (status?.state ?? silent) : node.state === 'paused' ? 'paused' : `stopped (${node.exit})`
  return { id, role, name: node.name, pid: node.pid, port, httpPort, state }
}

async function report(node: FleetNode): Promise<NodeReport> {
  const status = await statusOf(node)
  return { ...view(node, status), report: status }
}

async function statusOf(node: FleetNode): Promise<NodeStatus | undefined> {
  const status = await ask<NodeStatus>(node, { verb: 'status' }, STATUS_TIMEOUT_MS)
  if (status) node.answered = true
  return status
}

async function ask<T>(node: FleetNode, request: ManagementRequest, timeoutMs: number): Promise<T | undefined> {
  if (node.state !== 'running') return undefined
  try {
    return await askSocket<T>(node.socket, request, timeoutMs)
  } catch {
    return undefined
  }
}
