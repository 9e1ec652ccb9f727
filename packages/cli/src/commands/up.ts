// faultline up.
import { Cluster, FAST_SETTINGS, type NodeView, rememberLast } from '@faultline/director'
import { print, printJson, table } from '../output.ts'

export interface UpOptions {
  readonly dir: string
  readonly output: 'text' | 'json'
  readonly brokers: number
  readonly controllers: number
  readonly port: number
  readonly host: string
  readonly advertise?: string
  readonly racks: readonly string[]
  readonly set: Readonly<Record<string, string>>
  readonly fast: boolean
  readonly detach: boolean
  readonly proxied: boolean
  readonly toxiproxy?: string
  readonly apiHost: string
  readonly apiPort: number
}

export async function up(options: UpOptions): Promise<void> {
  const cluster = await Cluster.start({
    folder: options.dir,
    program: __dirname,
    detached: options.detach,
    brokers: options.brokers,
    controllers: options.controllers,
    port: options.port,
    host: options.host,
    advertise: options.advertise ?? options.host,
    racks: options.racks,
    settings: options.set,
    fast: options.fast,
    proxied: options.proxied,
    ...(options.toxiproxy === undefined ? {} : { toxiproxy: options.toxiproxy }),
    apiHost: options.apiHost,
    apiPort: options.apiPort,
  })
  rememberLast(cluster.folder.path)
  let nodes: NodeView[]
  try {
    nodes = await cluster.ready()
  } catch (error) {
    await cluster.down(false).catch(() => {})
    throw error
  }
  if (options.output === 'json')
    printJson({
      bootstrap: cluster.bootstrap,
      nodes: nodes.map(({ id, role, pid, port, httpPort }) => ({ id, role, pid, port, httpPort })),
    })
  else describe(cluster, nodes, options)
  if (options.detach) process.exit(0)
  await untilInterrupted()
  await cluster.down(false)
}

export function nodeTable(nodes: readonly NodeView[]): string {
  return table(
    ['NODE', 'ROLE', 'PID', 'PORT', 'HTTP', 'STATE'],
    nodes.map((n) => [n.name, n.role, n.pid < 0 ? '-' : n.pid, n.port, n.httpPort, n.state]),
  )
}

function describe(cluster: Cluster, nodes: readonly NodeView[], { fast, detach }: UpOptions): void {
  print(nodeTable(nodes))
  if (fast)
    print(
      `\nshorter than Kafka's: ${Object.entries(FAST_SETTINGS)
        .map((e) => e.join('='))
        .join(' ')}`,
    )
  print(`\nexport BOOTSTRAP_SERVERS=${cluster.bootstrap}`)
  print('\nnext: npx faultline topics create orders --partitions 12 --rf 3')
  if (!detach) print('Ctrl-C stops the cluster; its data stays in ' + cluster.folder.path)
}

function untilInterrupted(): Promise<void> {
  // Keeps the process, and with it the pipe that the supervisor watches.
  const staying = setInterval(() => {}, 1 << 30)
  return new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
    process.once('SIGHUP', () => resolve())
  }).finally(() => clearInterval(staying))
}
