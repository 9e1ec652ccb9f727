// What a new cluster is made of: ids, ports, settings.
import { randomBytes } from 'node:crypto'
import { Refusal } from '@faultline/base'
import { BROKER_CONFIGS, invalidConfigValue } from '@faultline/controller'
import { type ClusterDescription, newClusterId, type NodeAddress } from './cluster-folder.ts'
import { checkPorts, freePorts, type PortMarks } from './ports.ts'

export interface ClusterWish {
  readonly brokers: number
  readonly controllers: number
  /** First broker's client port; 0 for any free ones. */
  readonly port: number
  readonly host: string
  readonly advertise: string
  readonly racks: readonly string[]
  readonly settings: Readonly<Record<string, string>>
  /** Shorter timeouts for work at a screen. */
  readonly fast: boolean
  /** Where the control API listens: "127.0.0.1" unless told otherwise. */
  readonly apiHost?: string
  readonly apiPort?: number
  /** Every link goes through a proxy: our own, or the Toxiproxy at this URL. */
  readonly proxied?: boolean
  readonly toxiproxy?: string
}

const LOOPBACK = '127.0.0.1'
const MAX_NODES = 9
const FIRST_CONTROLLER_ID = 101

/** What --fast sets below Kafka's defaults, and no more. */
export const FAST_SETTINGS: Readonly<Record<string, string>> = {
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1500',
  'replica.lag.time.max.ms': '3000',
  'replica.fetch.wait.max.ms': '250',
  'replica.fetch.backoff.ms': '100',
  'controller.quorum.fetch.timeout.ms': '500',
  'unclean.leader.election.interval.ms': '5000',
  'group.initial.rebalance.delay.ms': '0',
}

/** As a new cluster calls its nodes. */
export function nodeNames(role: 'broker' | 'controller', count: number): string[] {
  const first = role === 'broker' ? 1 : FIRST_CONTROLLER_ID
  return Array.from({ length: count }, (_, i) => `${role}:${first + i}`)
}

/** Its free ports are marked. */
export async function planCluster(wish: ClusterWish, marks: PortMarks): Promise<Omit<ClusterDescription, 'version'>> {
  checkCount('--brokers', wish.brokers)
  checkCount('--controllers', wish.controllers)
  if (wish.controllers % 2 === 0) {
    const what = `${wish.controllers} controllers survive no more failures than ${wish.controllers - 1}`
    throw new Refusal('BAD_ARGUMENT', what, `use --controllers ${wish.controllers - 1} or ${wish.controllers + 1}`)
  }
  const settings = { ...smallClusterSettings(wish.brokers), ...(wish.fast ? FAST_SETTINGS : {}), ...wish.settings }
  checkSettings(wish.settings)
  const proxied = wish.proxied || wish.toxiproxy !== undefined ? { toxiproxy: wish.toxiproxy ?? null } : null
  const inner = await freePorts('127.0.0.1', 4 * wish.brokers + 2 * wish.controllers, marks)
  const http = inner.splice(3 * wish.brokers + wish.controllers)
  const client = await clientPorts(wish, marks)
  const nodes: NodeAddress[] = []
  for (let i = 0; i < wish.controllers; i++) {
    const port = inner[3 * wish.brokers + i]!
    nodes.push({
      id: FIRST_CONTROLLER_ID + i,
      role: 'controller',
      rack: '',
      port,
      clientPort: 0,
      controlPort: port,
      replicationPort: 0,
      httpPort: http[wish.brokers + i]!,
    })
  }
  for (let i = 0; i < wish.brokers; i++) {
    const rack = wish.racks.length > 0 ? wish.racks[i % wish.racks.length]! : ''
    const [controlPort, replicationPort] = [inner[3 * i]!, inner[3 * i + 1]!]
    const clientPort = proxied ? inner[3 * i + 2]! : client[i]!
    const ports = { port: client[i]!, clientPort, controlPort, replicationPort, httpPort: http[i]! }
    nodes.push({ id: i + 1, role: 'broker', rack, ...ports })
  }
  const { host, advertise, apiHost = LOOPBACK, apiPort = 0 } = wish
  const token = apiHost === LOOPBACK ? null : randomBytes(18).toString('base64url')
  return { clusterId: newClusterId(), host, advertise, settings, api: { host: apiHost, port: apiPort, token }, proxied, nodes }
}

async function clientPorts(wish: ClusterWish, marks: PortMarks): Promise<number[]> {
  if (wish.port === 0) return freePorts(wish.host, wish.brokers, marks)
  const ports = Array.from({ length: wish.brokers }, (_, i) => wish.port + i)
  if (wish.port < 0 || ports.at(-1)! > 65535)
    throw new Refusal('BAD_ARGUMENT', `--port ${wish.port} is no port`, 'use --port 9092, or --port 0 for free ports')
  await checkPorts(wish.host, ports, 'use free ports with --port 0, or others with --port N')
  return ports
}

/** Kafka's own defaults would leave a small cluster without its internal topics. */
export function smallClusterSettings(brokers: number): Record<string, string> {
  const factor = String(Math.min(3, brokers))
  return {
    'offsets.topic.replication.factor': factor,
    'transaction.state.log.replication.factor': factor,
    'transaction.state.log.min.isr': String(Math.min(2, brokers)),
  }
}

function checkCount(option: string, count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_NODES) return
  throw new Refusal('BAD_ARGUMENT', `${option} ${count} is not between 1 and ${MAX_NODES}`, `use ${option} 3`)
}

export function checkSettings(settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) {
    const definition = BROKER_CONFIGS.get(name)
    if (!definition) throw new Refusal('BAD_ARGUMENT', `--set ${name}: Kafka has no such broker configuration`, nearest(name))
    const invalid = invalidConfigValue(definition, value)
    if (invalid)
      throw new Refusal(
        'BAD_ARGUMENT',
        `--set ${name}=${value}: ${invalid}`,
        `leave it out for the default, ${definition.default}`,
      )
  }
}

/** Names that share the most words. */
function nearest(name: string): string {
  const words = new Set(name.split('.'))
  const score = (other: string) => other.split('.').filter((w) => words.has(w)).length
  const best = [...BROKER_CONFIGS.keys()].sort((a, b) => score(b) - score(a)).slice(0, 3)
  return `did you mean ${best.join(', ')}?`
}
