// The compose file of a cluster of any size: the one that people start by hand, with as many nodes as are wanted, each like its first.
import { nodeNames, serviceOf } from '@faultline/director'
import { parse } from 'yaml'

export interface ComposePlan {
  readonly brokers: number
  readonly controllers: number
  /** On this machine: of each broker, then of the control API. */
  readonly ports: readonly number[]
  readonly fast: boolean
  readonly settings: Readonly<Record<string, string>>
  /** The Docker engine's socket, with the group that may use it: the director kills and stops containers. */
  readonly engine: { readonly socket: string; readonly group: number }
}

interface Service {
  depends_on?: string[]
  ports?: string[]
  group_add?: string[]
  volumes?: string[]
  networks: Record<string, { aliases: string[] } | null> | string[]
  environment?: Record<string, string>
}

interface ComposeFile {
  services: Record<string, Service>
  networks: Record<string, unknown>
  volumes: Record<string, unknown>
}

type Role = 'broker' | 'controller'

const HERE = '127.0.0.1'

/** As JSON, which is YAML, too. `text` is docker/compose.yaml. */
export function composeFileOf(text: string, plan: ComposePlan): string {
  const { services, networks, volumes } = parse(text, { merge: true }) as ComposeFile
  const controllers = servicesOf('controller', plan.controllers)
  const brokers = servicesOf('broker', plan.brokers)
  const nodes = [...controllers, ...brokers]
  /** What is there of the first broker and controller, for each node. */
  const forEach = <T>(of: Record<string, T>) => Object.fromEntries(nodes.map((name) => [name, likeFirst(of, name)]))
  const others = <T>(of: Record<string, T>) => Object.entries(of).filter(([name]) => !/^(broker|controller)-\d+$/.test(name))
  const { toxiproxy, director } = services as Record<'toxiproxy' | 'director', Service>
  const nodeServices = forEach(services)
  for (const name of brokers) nodeServices[name]!.depends_on = ['toxiproxy', 'director', ...controllers]
  return JSON.stringify({
    services: { toxiproxy: proxyOf(toxiproxy, nodes, brokers, plan), director: directorOf(director, plan), ...nodeServices },
    networks: { ...Object.fromEntries(others(networks)), ...forEach(networks) },
    volumes: { ...Object.fromEntries(others(volumes)), ...forEach(volumes) },
  })
}

/** As the containers of a cluster's nodes are called. */
export function servicesOf(role: Role, count: number): string[] {
  return nodeNames(role, count).map(serviceOf)
}

function likeFirst<T>(of: Record<string, T>, name: string): T {
  const [first] = servicesOf(name.split('-')[0] as Role, 1) as [string]
  return JSON.parse(JSON.stringify(of[first]).replaceAll(new RegExp(`${first}\\b`, 'g'), name)) as T
}

/** On each node's network; clients call it by the names of the brokers. */
function proxyOf(proxy: Service, nodes: readonly string[], brokers: readonly string[], { ports }: ComposePlan): Service {
  const first = Number(proxy.ports![0]!.split(':').at(-1))
  const networks = Object.fromEntries(nodes.map((name) => [name, null]))
  const called = { aliases: [...brokers] }
  return {
    ...proxy,
    ports: brokers.map((_, i) => `${HERE}:${ports[i]}:${first + i}`),
    networks: { ...networks, clients: called, management: called },
  }
}

function directorOf(director: Service, { brokers, controllers, ports, fast, settings, engine }: ComposePlan): Service {
  const ids = (role: Role, count: number) =>
    servicesOf(role, count)
      .map((name) => name.split('-')[1])
      .join(',')
  return {
    ...director,
    environment: {
      ...director.environment,
      FAULTLINE_CONTROLLERS: ids('controller', controllers),
      FAULTLINE_BROKERS: ids('broker', brokers),
      FAULTLINE_HOST_PORTS: ports.slice(0, brokers).join(','),
      FAULTLINE_SETTINGS: Object.entries(settings)
        .map((setting) => setting.join('='))
        .join(' '),
      FAULTLINE_FAST: fast ? 'true' : '',
    },
    ports: [`${HERE}:${ports[brokers]}:8080`],
    group_add: [String(engine.group)],
    volumes: [...director.volumes!, `${engine.socket}:/var/run/docker.sock`],
  }
}
