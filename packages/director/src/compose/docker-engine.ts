// The Docker engine, over its socket where that is mounted: what containers of this Compose project do, and signals for them.
import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { hostname } from 'node:os'
import { Refusal } from '@faultline/base'

const SOCKET = '/var/run/docker.sock'
/** Of engines from 18.06 on. Newer ones no longer serve it: without a version in its path a request is in the engine's own. */
const OLDEST = [1, 38]
const PROJECT = 'com.docker.compose.project'
const SERVICE = 'com.docker.compose.service'

export interface Container {
  readonly id: string
  /** "running", "paused", "exited", "created". */
  readonly state: string
  readonly exitCode: number
}

interface Listed {
  readonly Id: string
  readonly State: string
  readonly Status: string
  readonly Labels: Readonly<Record<string, string>>
}

export class DockerEngine {
  readonly #project: string

  private constructor(project: string) {
    this.#project = project
  }

  /** Undefined when its socket is not mounted; refuses when it is, and does not let us in. */
  static async find(): Promise<DockerEngine | undefined> {
    if (!existsSync(SOCKET)) return undefined
    const { Version, ApiVersion } = JSON.parse(await call('GET', '/version')) as { Version: string; ApiVersion: string }
    if (isOlder(ApiVersion.split('.').map(Number)))
      throw new Refusal('NO_DOCKER', `the Docker engine is too old: ${Version} has API ${ApiVersion}`, 'it needs 18.06 or later')
    const { Config } = JSON.parse(await call('GET', `/containers/${hostname()}/json`)) as {
      Config: { Labels: Record<string, string> }
    }
    return new DockerEngine(Config.Labels[PROJECT]!)
  }

  /** By their services. */
  async containers(): Promise<Map<string, Container>> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${PROJECT}=${this.#project}`] }))
    const listed = JSON.parse(await call('GET', `/containers/json?all=1&filters=${filters}`)) as Listed[]
    return new Map(
      listed.map(({ Id, State, Status, Labels }) => {
        const exitCode = Number(/^Exited \((\d+)\)/.exec(Status)?.[1] ?? 0)
        return [Labels[SERVICE]!, { id: Id, state: State, exitCode }]
      }),
    )
  }

  /** Its processes are dead at once; resolves when the container is gone, too, which may take the engine seconds. */
  async kill(service: string): Promise<void> {
    await call('POST', `/containers/${await this.#id(service)}/kill?signal=SIGKILL`)
  }

  /** In order, or by force after `graceSeconds`. */
  async stop(service: string, graceSeconds: number): Promise<void> {
    await call('POST', `/containers/${await this.#id(service)}/stop?t=${graceSeconds}`)
  }

  async start(service: string): Promise<void> {
    await call('POST', `/containers/${await this.#id(service)}/start`)
  }

  async pause(service: string): Promise<void> {
    await call('POST', `/containers/${await this.#id(service)}/pause`)
  }

  /** A container that was paused, or a process in it that was stopped. */
  async resume(service: string): Promise<void> {
    const { id, state } = await this.#container(service)
    await call('POST', `/containers/${id}/${state === 'paused' ? 'unpause' : 'kill?signal=SIGCONT'}`)
  }

  /** What it wrote last, to standard output. */
  async lastWords(service: string, lines: number): Promise<string> {
    return withoutFrames(await callRaw('GET', `/containers/${await this.#id(service)}/logs?stdout=1&tail=${lines}`))
  }

  async #id(service: string): Promise<string> {
    return (await this.#container(service)).id
  }

  async #container(service: string): Promise<Container> {
    const container = (await this.containers()).get(service)
    if (container) return container
    throw new Refusal('NODE_FAILED', `${service} has no container`, 'start it with: docker compose up -d')
  }
}

function isOlder([major, minor]: readonly number[]): boolean {
  return major! < OLDEST[0]! || (major === OLDEST[0] && minor! < OLDEST[1]!)
}

async function call(method: string, path: string): Promise<string> {
  return (await callRaw(method, path)).toString()
}

function callRaw(method: string, path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string) =>
      reject(new Refusal('NODE_FAILED', `the Docker engine at ${SOCKET}: ${why}`, 'look at: docker ps -a'))
    const asked = request({ socketPath: SOCKET, method, path }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        if ((response.statusCode ?? 500) < 400) resolve(body)
        else refuse(messageOf(body.toString()))
      })
    })
    asked.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EACCES') return refuse(error.message)
      const what = `the director may not use ${SOCKET}`
      reject(new Refusal('NO_DOCKER', what, 'tell it whose group has it: export DOCKER_GID=$(stat -c %g /var/run/docker.sock)'))
    })
    asked.end()
  })
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message: string }).message
  } catch {
    return body
  }
}

/** A log without a terminal comes in frames: the stream, three zeros, a length. */
function withoutFrames(log: Buffer): string {
  const chunks: Buffer[] = []
  for (let at = 0; at + 8 <= log.length;) {
    const length = log.readUInt32BE(at + 4)
    chunks.push(log.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return Buffer.concat(chunks).toString()
}
