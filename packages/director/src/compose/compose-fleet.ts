// The world `compose`: nodes are containers, each alone on its network with Toxiproxy. The director asks them on Unix sockets in a volume that
// they share, and has Toxiproxy break their links; containers it can end, stop or start only where it has the Docker engine's socket.
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { Refusal } from '@faultline/base'
import type { ManagementRequest } from '@faultline/node'
import type { ClusterDescription, NodeAddress } from '../cluster-folder.ts'
import { type ClusterEvent, eventsIn } from '../events/cluster-events.ts'
import { type Containers, Fleet, type FleetContext, type FleetNode, type ProcessState, type ProcessVerb } from '../fleet.ts'
import { followSocket } from '../json-socket.ts'
import { CLIENTS } from '../links/link.ts'
import { ProxiedLinks } from '../links/proxied-links.ts'
import { composeConfig, composeLinks, MANAGEMENT, serviceOf } from './compose-plan.ts'
import { DockerEngine } from './docker-engine.ts'

const GRACE_SECONDS = 20
/** A node's socket appears a moment after its process. */
const RETRY_MS = 50
/** Lines in which what a node told last is looked for. */
const LAST_LINES = 100
const NOT_REACHED = 'not reached'
/** What the shell makes of a signal. */
const SIGNALLED: Readonly<Record<number, string>> = { 137: 'SIGKILL', 143: 'SIGTERM' }

interface ContainerNode extends FleetNode {
  readonly service: string
  state: ProcessState
  exit: string
  /** The last that was heard of it. */
  heard: string
  /** How it has ended, as far as is known while the engine still takes its container down: it counts as ended already. */
  ending: string
  /** Who waits for its end. */
  onLost: () => void
  /** Resolves when the end of its process is told, and all that it told before, and its container has ended. */
  told: Promise<void>
}

export class ComposeFleet extends Fleet<ContainerNode> {
  readonly nodes: readonly ContainerNode[]
  readonly #o: FleetContext
  readonly #plan: ClusterDescription
  #links: ProxiedLinks | undefined
  #engine: DockerEngine | undefined

  constructor(plan: ClusterDescription, context: FleetContext) {
    super()
    this.#o = context
    this.#plan = plan
    this.nodes = plan.nodes.map(containerNode)
  }

  get clusterId(): string {
    return this.#plan.clusterId
  }

  get bootstrap(): string {
    const brokers = this.#plan.nodes.filter((n) => n.role === 'broker')
    return brokers.map((n) => `${this.#plan.advertise}:${n.port}`).join(',')
  }

  /** Toxiproxy is on the director's network, too. */
  get clientAddresses(): string[] {
    const clients = composeLinks(this.#plan).filter(({ link }) => link.name.startsWith(`${CLIENTS}.`))
    return clients.map(({ listen }) => `toxiproxy:${listen.split(':')[1]}`)
  }

  override get containers(): Containers {
    return { director: hostname(), engine: this.#engine !== undefined }
  }

  get links(): ProxiedLinks | undefined {
    return this.#links
  }

  async prepare(): Promise<void> {
    this.#engine = await DockerEngine.find()
    this.#links = await ProxiedLinks.start('', this.#plan.proxied!.toxiproxy)
    await this.#links.create(composeLinks(this.#plan))
  }

  /** Compose starts the containers: they wait for their configurations. */
  async startAll(): Promise<void> {
    for (const node of this.nodes) {
      this.#writeFaults(node)
      writeFileSync(`${MANAGEMENT}/${node.service}.json`, JSON.stringify(composeConfig(this.#plan, node.address)))
      this.#follow(node)
    }
  }

  stopAll(): Promise<void> {
    throw new Refusal('BAD_ARGUMENT', 'this cluster runs in containers', 'stop it with: docker compose down')
  }

  async start(node: ContainerNode): Promise<void> {
    const engine = this.#engineFor(node, 'restart')
    // A container has one log for all its processes, and the exit code of the last.
    await node.told
    this.#writeFaults(node)
    node.ending = ''
    await engine.start(node.service)
    node.state = 'running'
    node.exit = ''
  }

  async resume(node: ContainerNode): Promise<void> {
    await this.#engineFor(node, 'resume').resume(node.service)
    node.state = 'running'
    this.#o.events.emit('process.resume', { name: node.name })
  }

  override async manage<T>(name: string, request: ManagementRequest): Promise<T | undefined> {
    const reply = await super.manage<T>(name, request)
    const node = this.nodes.find((n) => n.name === name)
    // Healed while it is away: it is not to be armed with that when it comes back, whoever starts it.
    if (node?.state === 'exited') this.#writeFaults(node)
    return reply
  }

  protected async kill(node: ContainerNode): Promise<void> {
    const engine = this.#engineFor(node, 'kill')
    node.ending = 'SIGKILL'
    const lost = new Promise<void>((resolve) => (node.onLost = resolve))
    const killed = engine.kill(node.service).catch((error: Error) => {
      node.ending = ''
      throw error
    })
    await Promise.race([lost, killed])
    await this.look()
  }

  protected async terminate(node: ContainerNode): Promise<void> {
    await this.#engineFor(node, 'terminate').stop(node.service, GRACE_SECONDS)
    await this.look()
  }

  protected async pause(node: ContainerNode): Promise<void> {
    await this.#engineFor(node, 'pause').pause(node.service)
    node.state = 'paused'
    this.#o.events.emit('process.pause', { name: node.name })
  }

  /** Without the engine, whoever can be reached runs. */
  protected async look(): Promise<void> {
    const containers = await this.#engine?.containers()
    if (!containers) return
    for (const node of this.nodes) {
      const { state, exitCode } = containers.get(node.service) ?? { state: 'removed', exitCode: 0 }
      const isThere = state === 'running' || state === 'paused'
      node.state = isThere && node.ending === '' ? state : 'exited'
      node.exit = isThere ? node.ending : exitOf(state, exitCode)
    }
  }

  override checkActs(node?: string, verb?: ProcessVerb): void {
    if (this.#engine) return
    const what = "nodes are containers, and the director does not have the Docker engine's socket"
    const itself = verb === undefined ? '' : `where Docker is: npx faultline ${verb} ${node} --at http://localhost:8080; or `
    throw new Refusal('BAD_ARGUMENT', what, `${itself}start the cluster with -f docker/compose.engine.yaml, too`)
  }

  #engineFor({ name }: ContainerNode, verb: ProcessVerb): DockerEngine {
    this.checkActs(name, verb)
    return this.#engine!
  }

  #writeFaults({ name, service }: ContainerNode): void {
    writeFileSync(`${MANAGEMENT}/${service}.faults.json`, JSON.stringify(this.#o.faultsFor(name)))
  }

  /** Its socket lives as long as its process: a new one tells everything anew. */
  #follow(node: ContainerNode): void {
    const { events } = this.#o
    let reached = false
    let told = () => {}
    const onLine = (line: unknown) => {
      if (!reached) {
        reached = true
        node.told = new Promise((resolve) => (told = resolve))
        node.answered = true
        node.ending = ''
        if (node.state === 'exited') node.state = 'running'
        void this.#disarmLeft(node)
        events.emit('process.start', { name: node.name })
      }
      node.heard = JSON.stringify(line)
      events.add(line as Omit<ClusterEvent, 'seq'>)
    }
    const onEnd = () => {
      setTimeout(() => this.#follow(node), RETRY_MS)
      if (reached) void this.#lost(node).finally(told)
    }
    followSocket(node.socket, { verb: 'events' }, onLine, onEnd)
  }

  /** A director that was started again may find faults that are over by now. */
  async #disarmLeft({ name }: ContainerNode): Promise<void> {
    const armed = (await this.manage<{ id: string }[]>(name, { verb: 'faults' })) ?? []
    const left = armed.filter(({ id }) => !this.#o.isHeld(id))
    await Promise.all(left.map(({ id }) => this.manage(name, { verb: 'disarm', id })))
  }

  async #lost(node: ContainerNode): Promise<void> {
    node.answered = false
    node.state = 'exited'
    const isOurDoing = node.ending !== ''
    node.ending ||= NOT_REACHED
    node.exit = node.ending
    node.onLost()
    const tell = () => this.#o.events.emit('process.exit', { name: node.name, how: node.exit || NOT_REACHED })
    // The engine answers late while it takes a container down.
    if (isOurDoing) tell()
    await this.#untilEnded(node)
    const words = (await this.#engine?.lastWords(node.service, LAST_LINES).catch(() => '')) ?? ''
    if (words.includes(node.heard)) for (const event of unheardIn(words, node.heard)) this.#o.events.add(event)
    this.#writeFaults(node)
    // Somebody else may have started it again.
    if (!isOurDoing) tell()
  }

  /** As the engine sees it, where there is one to ask: the container of a process that is dead may be there for seconds. */
  async #untilEnded(node: ContainerNode): Promise<void> {
    while (this.#engine && !node.answered) {
      const containers = await this.#engine.containers().catch(() => undefined)
      const state = containers?.get(node.service)?.state ?? 'removed'
      if (containers && state !== 'running' && state !== 'paused') {
        node.ending = ''
        return this.look()
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

function containerNode(address: NodeAddress): ContainerNode {
  const name = `${address.role}:${address.id}`
  const service = serviceOf(name)
  const socket = `${MANAGEMENT}/${service}.sock`
  const unknown = { state: 'exited', exit: NOT_REACHED, answered: false, heard: '' } as const
  return { address, name, service, socket, pid: -1, ...unknown, ending: '', onLost: () => {}, told: Promise.resolve() }
}

/** What the process that said `heard` has said after that; the next one in its container tells its own. */
function unheardIn(words: string, heard: string): Omit<ClusterEvent, 'seq'>[] {
  const events = eventsIn(words.slice(words.lastIndexOf(heard) + heard.length))
  const next = events.findIndex((e) => e.event === 'node.start')
  return next < 0 ? events : events.slice(0, next)
}

function exitOf(state: string, exitCode: number): string {
  return state === 'exited' ? (SIGNALLED[exitCode] ?? `exit code ${exitCode}`) : state
}
