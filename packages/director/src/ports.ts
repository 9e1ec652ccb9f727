// Ports for nodes: the ones asked for, or free ones, which others then leave alone; and who holds a port that is taken.
import { createSocket, type Socket } from 'node:dgram'
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { Refusal } from '@faultline/base'

/** Below what systems give to outgoing connections: one of those must not take a node's port while the node is down. */
const LOWEST = 15_000
const HIGHEST = 32_000
const TRIES = 50

/** How long, and how often, `keep` tries. */
const KEEP_TRIES = 60
const KEEP_EVERY_MS = 500

/**
 * What a cluster has chosen is its own until it ends, also before its nodes listen and while one of them is down: a UDP socket with the number of
 * the port marks it, for all who choose here. Whoever ends, however that is, leaves no mark behind.
 */
export class PortMarks {
  readonly #sockets = new Map<number, Socket>()
  #timer: NodeJS.Timeout | undefined

  /** False when another has marked it. */
  take(port: number): Promise<boolean> {
    if (this.#sockets.has(port)) return Promise.resolve(true)
    return new Promise((resolve) => {
      const socket = createSocket('udp4')
      socket.once('error', () => {
        socket.close()
        resolve(false)
      })
      socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
        this.#sockets.set(port, socket.unref())
        resolve(true)
      })
    })
  }

  /** Takes over from whoever chose them, when that lets go. */
  async keep(ports: readonly number[], tries = KEEP_TRIES): Promise<void> {
    const taken = await Promise.all(ports.map((port) => this.take(port)))
    const left = ports.filter((_, i) => !taken[i])
    if (left.length === 0 || tries === 0) return
    this.#timer = setTimeout(() => void this.keep(left, tries - 1), KEEP_EVERY_MS).unref()
  }

  release(): void {
    clearTimeout(this.#timer)
    for (const socket of this.#sockets.values()) socket.close()
    this.#sockets.clear()
  }
}

/** Free ports on `host`, all different, and marked: they are held together while they are chosen. */
export async function freePorts(host: string, count: number, marks: PortMarks): Promise<number[]> {
  const servers = []
  for (let i = 0; i < count; i++) servers.push(await holdAny(host, marks))
  const ports = servers.map((s) => (s.address() as { port: number }).port)
  await Promise.all(servers.map((s) => new Promise<void>((resolve) => s.close(() => resolve()))))
  return ports
}

/** Refuses when one of `ports` is in use, naming who has it and what to type instead. */
export async function checkPorts(host: string, ports: readonly number[], instead: string): Promise<void> {
  for (const port of ports) {
    try {
      const server = await hold(host, port)
      await new Promise<void>((resolve) => server.close(() => resolve()))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EACCES') throw new Refusal('PORT_TAKEN', `port ${port} needs rights that this user does not have`, instead)
      if (code !== 'EADDRINUSE') throw new Refusal('BAD_ARGUMENT', `cannot listen on ${host}:${port} (${code})`, instead)
      throw new Refusal('PORT_TAKEN', `port ${port} is in use${holderOf(port)}`, instead)
    }
  }
}

async function holdAny(host: string, marks: PortMarks) {
  for (let i = 0; i < TRIES; i++) {
    const port = randomInt(LOWEST, HIGHEST)
    const server = await hold(host, port).catch(() => undefined)
    if (server && (await marks.take(port))) return server
    server?.close()
  }
  return hold(host, 0)
}

function hold(host: string, port: number) {
  return new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => resolve(server))
  })
}

/** " by pid 123 (java)" on Linux, when the holder may be seen. */
function holderOf(port: number): string {
  try {
    const inode = listeningInode(port)
    if (inode === undefined) return ''
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsInode(pid, inode)) return ` by pid ${pid} (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()})`
    }
  } catch {
    // Not Linux, or not ours to see.
  }
  return ''
}

const LISTEN_STATE = '0A'

function listeningInode(port: number): string | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(`:${hex}`) && fields[3] === LISTEN_STATE) return fields[9]
    }
  }
  return undefined
}

function holdsInode(pid: string, inode: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`)
  } catch {
    return false
  }
}
