// The folder of one cluster: what it is made of (cluster.json), who runs it now (supervisor.json), data, logs and sockets.
import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Refusal } from '@faultline/base'

/** Raised when the folder's shape changes in a way that older programs cannot read. */
export const FOLDER_VERSION = 3

/** A Unix socket's path is at most 107 bytes; a node's name comes on top. */
const MAX_SOCKET_FOLDER = 85

export interface NodeAddress {
  readonly id: number
  readonly role: 'broker' | 'controller'
  readonly rack: string
  /** What people look for: where clients of a broker, or nodes of a controller, connect to. */
  readonly port: number
  /** Where a broker itself listens for clients: behind a proxy that is another port. */
  readonly clientPort: number
  /** Where other nodes ask this one. */
  readonly controlPort: number
  /** Where followers of a broker connect to; 0 for a controller. */
  readonly replicationPort: number
  /** Where it answers /metrics and /health. */
  readonly httpPort: number
}

export interface ClusterDescription {
  readonly version: number
  readonly clusterId: string
  readonly host: string
  readonly advertise: string
  readonly settings: Readonly<Record<string, string>>
  /** Where the control API listens; the token is asked for when that is not this machine alone. Port 0: a free one. */
  readonly api: { readonly host: string; readonly port: number; readonly token: string | null }
  /** Every link goes through a proxy: one of our own, or of the Toxiproxy at this URL. */
  readonly proxied: { readonly toxiproxy: string | null } | null
  readonly nodes: readonly NodeAddress[]
}

export interface SupervisorRecord {
  readonly pid: number
  /** Of the control API; undefined until it listens. */
  readonly api: string | undefined
  readonly detached: boolean
}

export class ClusterFolder {
  readonly path: string

  constructor(path: string) {
    this.path = resolve(path)
  }

  /** Creates what is missing; refuses a folder that cannot be written. */
  prepare(): void {
    try {
      for (const name of ['data', 'logs', 'run']) mkdirSync(join(this.path, name), { recursive: true })
      accessSync(this.path, constants.W_OK)
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error)
      throw new Refusal('FOLDER_UNUSABLE', `${this.path} cannot be written (${why})`, 'choose another folder with --dir FOLDER')
    }
  }

  get exists(): boolean {
    return existsSync(join(this.path, 'cluster.json'))
  }

  describe(): ClusterDescription {
    const text = this.#read('cluster.json')
    if (text === undefined) {
      throw new Refusal('NO_CLUSTER', `there is no cluster in ${this.path}`, 'start one with: npx faultline up')
    }
    const description = parse<ClusterDescription>(text, join(this.path, 'cluster.json'))
    if (description.version !== FOLDER_VERSION) {
      const what = `${this.path} was written by another version (folder version ${description.version}, this program knows ${FOLDER_VERSION})`
      throw new Refusal('FOLDER_FOREIGN', what, 'use the program that wrote it, or another folder with --dir FOLDER')
    }
    return description
  }

  write(description: Omit<ClusterDescription, 'version'>): void {
    this.#write('cluster.json', { version: FOLDER_VERSION, ...description })
  }

  /** Who runs the cluster now; undefined when nobody does. */
  supervisor(): SupervisorRecord | undefined {
    const text = this.#read('supervisor.json')
    if (text === undefined) return undefined
    const record = parse<SupervisorRecord>(text, join(this.path, 'supervisor.json'))
    return isAlive(record.pid) ? record : undefined
  }

  claim(record: SupervisorRecord): void {
    const other = this.supervisor()
    if (other && other.pid !== record.pid) throw this.inUse(other)
    this.#write('supervisor.json', record)
  }

  inUse({ pid }: SupervisorRecord): Refusal {
    return new Refusal(
      'FOLDER_IN_USE',
      `a cluster runs on ${this.path} (supervisor pid ${pid})`,
      `stop it with: npx faultline down --dir ${this.path}`,
    )
  }

  release(): void {
    rmSync(join(this.path, 'supervisor.json'), { force: true })
    rmSync(this.socketFolder, { recursive: true, force: true })
  }

  wipe(): void {
    rmSync(this.path, { recursive: true, force: true })
    rmSync(this.socketFolder, { recursive: true, force: true })
  }

  data(node: string): string {
    return join(this.path, 'data', node.replace(':', '-'))
  }

  log(node: string): string {
    return join(this.path, 'logs', `${node.replace(':', '-')}.log`)
  }

  /** What the node is armed with when it starts. */
  faults(node: string): string {
    return join(this.path, 'run', `${node.replace(':', '-')}.faults.json`)
  }

  config(node: string): string {
    return join(this.path, 'run', `${node.replace(':', '-')}.json`)
  }

  socket(node: string): string {
    return join(this.socketFolder, `${node.replace(':', '-')}.sock`)
  }

  /** In the cluster's own folder when its path is short enough for a Unix socket, else in the system's temporary one. */
  get socketFolder(): string {
    const own = join(this.path, 'run')
    if (own.length <= MAX_SOCKET_FOLDER) return own
    const hash = [...this.path].reduce((h, c) => (Math.imul(h, 31) + c.charCodeAt(0)) >>> 0, 7)
    return join(tmpdir(), `faultline-${hash.toString(36)}`)
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), 'utf8')
    } catch {
      return undefined
    }
  }

  #write(name: string, value: unknown): void {
    const path = join(this.path, name)
    writeFileSync(`${path}.tmp`, `${JSON.stringify(value, null, 2)}\n`)
    renameSync(`${path}.tmp`, path)
  }
}

/** Where clusters live that were not given a folder, and the note of which was started last. */
function stateFolder(): string {
  return join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'faultline')
}

export function defaultFolder(): string {
  return join(stateFolder(), 'cluster')
}

export function rememberLast(path: string): void {
  try {
    mkdirSync(stateFolder(), { recursive: true })
    writeFileSync(join(stateFolder(), 'last'), path)
  } catch {
    // Without a home that can be written, --dir has to be given each time.
  }
}

export function lastFolder(): string {
  try {
    return readFileSync(join(stateFolder(), 'last'), 'utf8').trim()
  } catch {
    return defaultFolder()
  }
}

export function newClusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function parse<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T
  } catch {
    throw new Refusal(
      'FOLDER_FOREIGN',
      `${path} is damaged: it is not JSON`,
      `remove ${dirname(path)}, or choose another folder with --dir FOLDER`,
    )
  }
}
