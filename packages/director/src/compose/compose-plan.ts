// What the cluster in containers is made of: every container has the same ports, since each is alone on its network; what differs are the
// ports of Toxiproxy, one a link.
import { Refusal } from '@faultline/base'
import type { NodeConfig } from '@faultline/node'
import { type ClusterDescription, FOLDER_VERSION, type NodeAddress } from '../cluster-folder.ts'
import { allLinks, type Link, linkOf } from '../links/link.ts'
import type { LinkTarget } from '../links/proxied-links.ts'
import { checkSettings, FAST_SETTINGS, smallClusterSettings } from '../plan-cluster.ts'

/** Where a node's containers listen. */
const PORTS = { client: 9092, host: 9192, control: 9190, replication: 9191, http: 9193 } as const
/** Where Toxiproxy listens: for clients in containers and those on the host, from a broker's place on; for links between nodes. */
const PROXY = { client: 9092, host: 19092, node: 20000 } as const

/** The volume of the management plane: sockets, configurations, what nodes are armed with. */
export const MANAGEMENT = '/run/faultline'
const DATA = '/var/lib/faultline'

export type Environment = Readonly<Record<string, string | undefined>>

export function planCompose(env: Environment, clusterId: string): ClusterDescription {
  const hostPorts = wordsOf(env, 'FAULTLINE_HOST_PORTS').map(Number)
  const controllers = wordsOf(env, 'FAULTLINE_CONTROLLERS').map((id) => nodeAt('controller', Number(id), PORTS.control))
  const brokers = wordsOf(env, 'FAULTLINE_BROKERS').map((id, i) => nodeAt('broker', Number(id), hostPorts[i] ?? 0))
  const given = Object.fromEntries((env['FAULTLINE_SETTINGS'] ?? '').split(/\s+/).filter(Boolean).map(pairOf))
  checkSettings(given)
  const fast = env['FAULTLINE_FAST'] === 'true' ? FAST_SETTINGS : {}
  return {
    version: FOLDER_VERSION,
    clusterId,
    host: '0.0.0.0',
    advertise: 'localhost',
    settings: { ...smallClusterSettings(brokers.length), ...fast, ...given },
    api: { host: '0.0.0.0', port: 8080, token: env['FAULTLINE_API_TOKEN'] || null },
    proxied: { toxiproxy: env['FAULTLINE_TOXIPROXY'] ?? 'http://toxiproxy:8474' },
    nodes: [...controllers, ...brokers],
  }
}

function nodeAt(role: 'broker' | 'controller', id: number, port: number): NodeAddress {
  const { control: controlPort, client: clientPort, replication: replicationPort, http: httpPort } = PORTS
  return { id, role, rack: '', port, clientPort, controlPort, replicationPort, httpPort }
}

function wordsOf(env: Environment, name: string): string[] {
  const words = (env[name] ?? '').split(/[\s,]+/).filter(Boolean)
  if (words.length > 0 && words.every((word) => /^\d+$/.test(word))) return words
  throw new Refusal('BAD_ARGUMENT', `${name} is "${env[name] ?? ''}"`, 'set it in docker/compose.yaml, as in 1,2,3')
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new Refusal('BAD_ARGUMENT', `FAULTLINE_SETTINGS: "${text}" is no name=value`, 'as in: min.insync.replicas=2')
}

/** As the container of a node is called. */
export function serviceOf(name: string): string {
  return name.replace(':', '-')
}

/** Each node is on a network of its own as SERVICE.node; there only Toxiproxy sees it. */
export function composeLinks({ nodes }: ClusterDescription): LinkTarget[] {
  const names = nodes.map((n) => `${n.role}:${n.id}`)
  const brokers = names.filter((name) => name.startsWith('broker:'))
  const host = (name: string) => `${serviceOf(name)}.node`
  const target = (link: Link, port: number, to: number) => ({
    link,
    listen: `0.0.0.0:${port}`,
    upstream: `${host(link.target)}:${to}`,
  })
  return [
    ...allLinks(names).map((link, i) =>
      link.plane === 'client'
        ? target(link, PROXY.client + brokers.indexOf(link.target), PORTS.client)
        : target(link, PROXY.node + i, PORTS[link.plane]),
    ),
    // Clients on the host have names and ports of their own, and are clients as well.
    ...brokers.map((name, i) => target(hostLink(name), PROXY.host + i, PORTS.host)),
  ]
}

function hostLink(broker: string): Link {
  const link = linkOf('clients', broker, 'client')
  return { ...link, name: `host.${serviceOf(broker)}.client` }
}

export function composeConfig(plan: ClusterDescription, { role, id, rack, port }: NodeAddress): NodeConfig {
  const name = `${role}:${id}`
  const mine = composeLinks(plan).filter(({ link }) => link.source === name)
  const links = mine.map(({ link, listen }) => [
    `${link.target.split(':')[1]}/${link.plane}`,
    `toxiproxy:${listen.split(':')[1]}`,
  ])
  const control = `0.0.0.0:${PORTS.control}`
  const http = { host: '0.0.0.0', port: PORTS.http }
  const at = (listener: string, port: number) => ({ listener, host: '0.0.0.0', port })
  const place = plan.nodes.filter((n) => n.role === 'broker').findIndex((n) => n.id === id)
  const broker = role === 'broker'
  return {
    role,
    id,
    clusterId: plan.clusterId,
    dataDirectory: `${DATA}/data`,
    controllers: plan.nodes.filter((n) => n.role === 'controller').map((n) => n.id),
    links: Object.fromEntries(links) as Record<string, string>,
    listen: broker
      ? {
          control,
          http,
          replication: `0.0.0.0:${PORTS.replication}`,
          clients: [at('PLAINTEXT', PORTS.client), at('HOST', PORTS.host)],
        }
      : { control, http },
    listeners: broker
      ? [
          { name: 'PLAINTEXT', host: serviceOf(name), port: PROXY.client + place },
          { name: 'HOST', host: plan.advertise, port },
        ]
      : [],
    rack,
    settings: plan.settings,
    management: `${MANAGEMENT}/${serviceOf(name)}.sock`,
    followsSupervisor: false,
    faults: `${MANAGEMENT}/${serviceOf(name)}.faults.json`,
  }
}
