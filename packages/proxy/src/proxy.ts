// One proxy: listens, dials its upstream for each connection, and puts the toxics of each direction on what goes through.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Link } from './link.ts'
import { ProxyError } from './proxy-error.ts'
import { type Direction, Toxic, type ToxicJson } from './toxic.ts'

export interface ProxyJson {
  readonly name: string
  /** "127.0.0.1:9092"; with port 0 a free one. */
  readonly listen: string
  readonly upstream: string
  readonly enabled: boolean
  readonly toxics: readonly ToxicJson[]
}

interface Connection {
  readonly links: Readonly<Record<Direction, Link>>
  /** Drawn once for each toxic: it works on this connection, or does not. */
  readonly draws: Map<Toxic, number>
  close(how: 'end' | 'reset'): void
}

export class Proxy {
  readonly name: string
  #listen: string
  #upstream: string
  #server: Server | undefined
  readonly #toxics: Toxic[] = []
  readonly #connections = new Set<Connection>()

  constructor({ name, listen, upstream }: Pick<ProxyJson, 'name' | 'listen' | 'upstream'>) {
    this.name = name
    this.#listen = listen
    this.#upstream = upstream
  }

  get enabled(): boolean {
    return this.#server !== undefined
  }

  get toxics(): readonly Toxic[] {
    return this.#toxics
  }

  /** Throws ProxyError when the address cannot be had. */
  async enable(): Promise<void> {
    if (this.#server) return
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
    const { host, port } = addressOf(this.#listen)
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new ProxyError(500, `listen tcp ${this.#listen}: ${error.message}`)))
      server.listen({ host, port, backlog: 511 }, resolve)
    })
    server.on('error', () => {})
    this.#server = server
    this.#listen = `${host}:${(server.address() as { port: number }).port}`
  }

  /** Nobody gets through, and whoever had is cut off. */
  disable(): void {
    this.#server?.close()
    this.#server = undefined
    this.reset()
  }

  /** Connections that are open end; new ones may come. */
  reset(): void {
    for (const connection of this.#connections) connection.close('end')
  }

  async update({ listen, upstream, enabled }: Partial<ProxyJson>): Promise<void> {
    const moved = (listen !== undefined && listen !== this.#listen) || (upstream !== undefined && upstream !== this.#upstream)
    const isToRun = enabled ?? this.enabled
    if (moved || !isToRun) this.disable()
    this.#listen = listen ?? this.#listen
    this.#upstream = upstream ?? this.#upstream
    if (isToRun) await this.enable()
  }

  addToxic(json: Partial<ToxicJson>): Toxic {
    const toxic = new Toxic(json)
    if (this.#toxics.some((t) => t.name === toxic.name)) throw new ProxyError(409, 'toxic already exists')
    this.#toxics.push(toxic)
    this.#apply()
    return toxic
  }

  toxic(name: string): Toxic {
    const toxic = this.#toxics.find((t) => t.name === name)
    if (!toxic) throw new ProxyError(404, 'toxic not found')
    return toxic
  }

  updateToxic(name: string, json: Partial<ToxicJson>): Toxic {
    const toxic = this.toxic(name)
    toxic.update(json)
    this.#apply()
    return toxic
  }

  removeToxic(name: string): void {
    this.#toxics.splice(this.#toxics.indexOf(this.toxic(name)), 1)
    this.#apply()
  }

  removeToxics(): void {
    this.#toxics.length = 0
    this.#apply()
  }

  toJSON(): ProxyJson {
    const { name, enabled } = this
    return { name, listen: this.#listen, upstream: this.#upstream, enabled, toxics: this.#toxics.map((t) => t.toJSON()) }
  }

  #accept(client: Socket): void {
    const server = connect({ ...addressOf(this.#upstream), allowHalfOpen: true, noDelay: true })
    const close = (how: 'end' | 'reset') => {
      if (!this.#connections.delete(connection)) return
      for (const link of Object.values(connection.links)) link.dispose()
      for (const socket of [client, server]) {
        if (how === 'reset' && !socket.connecting) socket.resetAndDestroy()
        else socket.destroy()
      }
    }
    const links = { upstream: new Link(client, server, close), downstream: new Link(server, client, close) }
    const connection: Connection = { links, draws: new Map(), close }
    this.#connections.add(connection)
    let open = 2
    for (const socket of [client, server]) {
      // What a reset tells one side, the other hears too.
      socket.on('error', () => close('reset'))
      socket.on('close', () => {
        if (--open === 0) close('end')
      })
    }
    this.#applyTo(connection)
  }

  #apply(): void {
    for (const connection of [...this.#connections]) this.#applyTo(connection)
  }

  #applyTo({ links, draws }: Connection): void {
    const works = (toxic: Toxic) => {
      if (!draws.has(toxic)) draws.set(toxic, Math.random())
      return draws.get(toxic)! < toxic.toxicity
    }
    for (const stream of ['upstream', 'downstream'] as const)
      links[stream].set(this.#toxics.filter((toxic) => toxic.stream === stream && works(toxic)))
  }
}

function addressOf(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':')
  const port = Number(text.slice(colon + 1))
  if (colon < 0 || !Number.isInteger(port) || port < 0 || port > 65535)
    throw new ProxyError(400, `address ${text}: missing port in address`)
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, '') || '0.0.0.0', port }
}
