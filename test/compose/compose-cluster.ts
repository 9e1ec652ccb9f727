// The cluster in containers for one test file: brought up under a name and on ports of its own, and gone afterwards.
import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ClusterControl, freePorts, PortMarks } from '@faultline/director'
import { until } from '../support/cluster.ts'
import { composeCommand, ROOT } from './machine.ts'

const FILE = 'docker/compose.yaml'
const ENGINE = 'docker/compose.engine.yaml'
const LIMIT_MS = 300_000
/** Until this test file is over. */
const MARKS = new PortMarks()

const run = promisify(execFile)

interface Done {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export class ComposeCluster {
  readonly ports: readonly number[]
  readonly control: ClusterControl
  readonly #project = `faultline-test-${process.pid}`
  readonly #image: string
  readonly #files: readonly string[]
  readonly #compose: readonly string[]
  readonly #api: string

  private constructor(image: string, more: readonly string[], ports: readonly number[], compose: readonly string[]) {
    this.#image = image
    this.#files = [FILE, ...more]
    this.ports = ports.slice(0, 3)
    this.#compose = compose
    this.#api = `http://127.0.0.1:${ports[3]}`
    this.control = ClusterControl.at(this.#api, null)
  }

  /** Everything is there, and well; `more` are files beside that of the cluster. */
  static async start(image: string, ...more: readonly string[]): Promise<ComposeCluster> {
    const cluster = new ComposeCluster(image, more, await freePorts('127.0.0.1', 4, MARKS), (await composeCommand())!)
    try {
      await cluster.compose('up', '-d')
      await cluster.ready()
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  get bootstrap(): string {
    return this.ports.map((port) => `localhost:${port}`).join(',')
  }

  async stop(): Promise<void> {
    await this.compose('down', '-v', '-t', '20')
    const left = await this.#leftovers()
    if (left !== '') throw new Error(`compose down has left ${left}`)
  }

  /** Containers, networks and volumes of the project. */
  async #leftovers(): Promise<string> {
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
        const nodes = await this.control.nodes().catch(() => [])
        const brokers = nodes.filter((n) => n.role === 'broker')
        return nodes.some((n) => n.state === 'active') && brokers.every((n) => n.state === 'running')
      },
      60_000,
    )
  }

  /** Clients on this machine, and those in containers; all ask controllers; brokers ask each other, and follow each other. */
  readonly linkCount = 3 + 3 + (3 * 3 + 3 * 2) + (3 * 2 + 3 * 2)

  async stateOf(node: string): Promise<string> {
    return (await this.control.find(node)).state
  }

  /** The first such event since then, by the wall clock. */
  async event(name: string, since: number): Promise<Readonly<Record<string, unknown>>> {
    for await (const event of this.control.events(0, AbortSignal.timeout(60_000)))
      if (event.event === name && event.t >= since) return event
    throw new Error(`the stream of events ended before ${name}`)
  }

  async compose(...args: string[]): Promise<string> {
    return this.#composeOf([...this.#files, ENGINE], args)
  }

  /** The director is made anew, without the Docker engine's socket. */
  async takeSocket(): Promise<void> {
    await this.#composeOf(this.#files, ['up', '-d', '--no-deps', 'director'])
  }

  /** It has it again. */
  async giveSocket(): Promise<void> {
    await this.compose('up', '-d', '--no-deps', 'director')
  }

  /** The command line in the director's container. */
  async inside(...args: string[]): Promise<string> {
    return this.compose('exec', '-T', 'director', 'faultline', ...args)
  }

  /** The command line on this machine. */
  async outside(...args: string[]): Promise<Done> {
    const program = join(ROOT, 'bin/faultline.mjs')
    const done = run(process.execPath, [program, ...args, '--at', this.#api], { timeout: LIMIT_MS })
    return done.then(
      (output) => ({ code: 0, ...output }),
      (error: Done) => error,
    )
  }

  async #composeOf(files: readonly string[], args: readonly string[]): Promise<string> {
    const [file, ...rest] = [...this.#compose, '-p', this.#project, ...files.flatMap((name) => ['-f', name]), ...args]
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
    return (await run(file!, rest, { cwd: ROOT, env, timeout: LIMIT_MS, maxBuffer: 1 << 26 })).stdout
  }
}
