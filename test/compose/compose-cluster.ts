// The cluster in containers for one test file: built, brought up under a name and on ports of its own, and gone afterwards.
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Refusal } from '@faultline/base'
import type { FaultRequestInput, FaultView, NodeReport, NodeView } from '@faultline/director'
import { until } from '../support/cluster.ts'

const ROOT = join(import.meta.dirname, '../..')
const FILES = ['docker/compose.yaml', 'docker/compose.engine.yaml', 'test/compose/small-disk.yaml']
const BASES = ['node:24-bookworm-slim', 'ghcr.io/shopify/toxiproxy:2.12.0']
const LIMIT_MS = 300_000

const run = promisify(execFile)

async function works(...command: string[]): Promise<boolean> {
  return run(command[0]!, command.slice(1), { timeout: 120_000 }).then(
    () => true,
    () => false,
  )
}

/** How Compose is called here. */
async function composeCommand(): Promise<string[] | undefined> {
  if (await works('docker', 'compose', 'version')) return ['docker', 'compose']
  return (await works('docker-compose', 'version')) ? ['docker-compose'] : undefined
}

/** What this machine lacks; undefined when nothing. */
export async function missing(): Promise<string | undefined> {
  if (!(await works('docker', 'version', '--format', '{{.Server.Version}}'))) return 'no Docker engine answers'
  if (!(await composeCommand())) return 'there is no Compose'
  for (const image of BASES) {
    if (!(await works('docker', 'image', 'inspect', image)) && !(await works('docker', 'pull', '-q', image)))
      return `the image ${image} is not here and cannot be pulled`
  }
  return undefined
}

export class ComposeCluster {
  readonly ports: readonly number[]
  readonly #project = `faultline-test-${process.pid}`
  readonly #image = `faultline:test-${process.pid}`
  readonly #compose: readonly string[]
  readonly #api: string

  private constructor(ports: readonly number[], compose: readonly string[]) {
    this.ports = ports.slice(0, 3)
    this.#compose = compose
    this.#api = `http://127.0.0.1:${ports[3]}/v1`
  }

  static async prepare(): Promise<ComposeCluster> {
    return new ComposeCluster(await freePorts(4), (await composeCommand())!)
  }

  get bootstrap(): string {
    return this.ports.map((port) => `localhost:${port}`).join(',')
  }

  async build(): Promise<void> {
    const certificate = join(ROOT, 'docker/ca.pem')
    const own = process.env['NODE_EXTRA_CA_CERTS']
    const lent = own !== undefined && !existsSync(certificate)
    if (lent) copyFileSync(own, certificate)
    try {
      await run('docker', ['build', '-q', '-t', this.#image, '-f', 'docker/Dockerfile', '.'], { cwd: ROOT, timeout: LIMIT_MS })
    } finally {
      if (lent) rmSync(certificate)
    }
  }

  async up(): Promise<void> {
    await this.#run('up', '-d')
  }

  async down(): Promise<void> {
    await this.#run('down', '-v', '-t', '20')
    await run('docker', ['image', 'rm', '-f', this.#image]).catch(() => {})
  }

  /** Containers, networks and volumes of the project. */
  async leftovers(): Promise<string> {
    const label = ['-q', '--filter', `label=com.docker.compose.project=${this.#project}`]
    const lists = [
      ['ps', '-a'],
      ['network', 'ls'],
      ['volume', 'ls'],
    ].map((list) => run('docker', [...list, ...label]))
    return (await Promise.all(lists)).map(({ stdout }) => stdout).join('')
  }

  async ready(): Promise<void> {
    await until(
      'a cluster that is well',
      async () => {
        const nodes = await this.nodes().catch(() => [])
        const brokers = nodes.filter((n) => n.role === 'broker')
        return nodes.some((n) => n.state === 'active') && brokers.every((n) => n.state === 'running')
      },
      60_000,
    )
  }

  nodes(): Promise<NodeView[]> {
    return this.#call('GET', '/nodes')
  }

  async find(selector: string): Promise<NodeView> {
    return this.#call('GET', `/nodes/${encodeURIComponent(selector)}`)
  }

  act(verb: string, node: string): Promise<NodeView> {
    return this.#call('POST', `/nodes/${encodeURIComponent(node)}/${verb}`)
  }

  fault(request: FaultRequestInput): Promise<FaultView> {
    return this.#call('POST', '/faults', request)
  }

  faultOf(id: string): Promise<FaultView> {
    return this.#call('GET', `/faults/${id}`)
  }

  healAll(): Promise<unknown> {
    return this.#call('DELETE', '/faults')
  }

  async isr(topic: string): Promise<readonly number[]> {
    const active = (await this.#call<NodeReport[]>('GET', '/status')).find((n) => n.state === 'active')
    const topics = (active?.report?.['topics'] ?? []) as { name: string; partitions: { isr: number[] }[] }[]
    return topics.find((t) => t.name === topic)?.partitions[0]?.isr ?? []
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(`${this.#api}${path}`, { method, ...init })
    const answer = (await response.json()) as T & { refused?: { message: string; advice: string } }
    if (answer.refused) throw new Refusal('BAD_ARGUMENT', answer.refused.message, answer.refused.advice)
    return answer
  }

  async #run(...args: string[]): Promise<void> {
    const [file, ...rest] = [...this.#compose, '-p', this.#project, ...FILES.flatMap((name) => ['-f', name]), ...args]
    const [one, two, three] = this.ports.map(String)
    const env = {
      ...process.env,
      FAULTLINE_IMAGE: this.#image,
      FAULTLINE_PORT_1: one,
      FAULTLINE_PORT_2: two,
      FAULTLINE_PORT_3: three,
      FAULTLINE_API_PORT: new URL(this.#api).port,
      FAULTLINE_FAST: 'true',
      DOCKER_GID: String(statSync('/var/run/docker.sock').gid),
    }
    await run(file!, rest, { cwd: ROOT, env, timeout: LIMIT_MS })
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map((s) => new Promise<void>((resolve) => s.listen(0, '127.0.0.1', resolve))))
  const ports = servers.map((s) => (s.address() as { port: number }).port)
  await Promise.all(servers.map((s) => new Promise((resolve) => s.close(resolve))))
  return ports
}
