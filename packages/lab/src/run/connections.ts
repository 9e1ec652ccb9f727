// Which copy of a program a connection belongs to, by the sockets that its processes have: on Linux, where the machine tells. Where it does not, or
// a connection was too short to be seen, or goes through a proxy, it is the program's, and nobody knows which copy's.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Owner {
  readonly name: string
  /** Of the process group; undefined while it does not run. */
  readonly pid: number | undefined
}

const EVERY_MS = 250

export class Connections {
  /** By address: "127.0.0.1:51334". */
  readonly #owners = new Map<string, string>()
  readonly #ports: ReadonlySet<number>
  readonly #copies: () => readonly Owner[]
  #timer: NodeJS.Timeout | undefined

  constructor(bootstrap: string, copies: () => readonly Owner[]) {
    this.#ports = new Set(bootstrap.split(',').map((address) => Number(address.slice(address.lastIndexOf(':') + 1))))
    this.#copies = copies
  }

  start(): void {
    if (process.platform === 'linux') this.#timer = setInterval(() => this.look(), EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  of(remote: string): string | undefined {
    return this.#owners.get(remote)
  }

  look(): void {
    const unknown = new Map(this.#sockets().filter(([, address]) => !this.#owners.has(address)))
    if (unknown.size === 0) return
    const groups = new Map(this.#copies().flatMap(({ name, pid }) => (pid === undefined ? [] : [[pid, name]])))
    for (const pid of pids()) {
      const name = groups.get(groupOf(pid))
      if (name === undefined) continue
      for (const inode of socketsOf(pid)) {
        const address = unknown.get(inode)
        if (address !== undefined) this.#owners.set(address, name)
      }
    }
  }

  /** Those to brokers: the inode, and the address at this end. */
  #sockets(): [string, string][] {
    return textOf('/proc/net/tcp')
      .split('\n')
      .slice(1)
      .flatMap((line): [string, string][] => {
        const [, local, remote, , , , , , , inode] = line.trim().split(/\s+/)
        if (local === undefined || inode === undefined || inode === '0') return []
        return this.#ports.has(portOf(remote!)) ? [[inode, addressOf(local)]] : []
      })
  }
}

/** "0100007F:C6A6" */
function portOf(hex: string): number {
  return Number.parseInt(hex.slice(hex.indexOf(':') + 1), 16)
}

function addressOf(hex: string): string {
  const bytes = /^(..)(..)(..)(..)/.exec(hex)!.slice(1).reverse()
  return `${bytes.map((b) => Number.parseInt(b, 16)).join('.')}:${portOf(hex)}`
}

function pids(): number[] {
  return listOf('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
}

/** The name before it may have spaces and brackets. */
function groupOf(pid: number): number {
  const text = textOf(`/proc/${pid}/stat`)
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[2])
}

function socketsOf(pid: number): string[] {
  return listOf(`/proc/${pid}/fd`).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? [])
}

/** Processes and their files go while they are looked at. */
function orElse<T>(look: () => T, without: T): T {
  try {
    return look()
  } catch {
    return without
  }
}

const textOf = (path: string) => orElse(() => readFileSync(path, 'utf8'), '')
const listOf = (path: string) => orElse(() => readdirSync(path), [])
const linkOf = (path: string) => orElse(() => readlinkSync(path), '')
