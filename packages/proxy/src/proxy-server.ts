// The proxies of one process and Toxiproxy's HTTP API for them: Toxiproxy's own clients and command line drive it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Proxy, type ProxyJson } from './proxy.ts'
import { ProxyError } from './proxy-error.ts'
import type { ToxicJson } from './toxic.ts'

/** The version of Toxiproxy whose API this is. */
const VERSION = '2.12.0'
const MAX_BODY_BYTES = 1024 * 1024

interface Answer {
  readonly status: number
  readonly body?: unknown
}

type Body = Readonly<Record<string, unknown>>

export class ProxyServer {
  readonly #proxies = new Map<string, Proxy>()
  readonly #http: Server = createServer((request, response) => void this.#serve(request, response))

  /** Resolves with the port. Rejects when it cannot be had. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => this.#http.once('error', reject).listen(port, host, resolve))
    return (this.#http.address() as { port: number }).port
  }

  close(): void {
    this.#http.close()
    this.#http.closeAllConnections()
    for (const proxy of this.#proxies.values()) proxy.disable()
    this.#proxies.clear()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#answer(request).catch((error: unknown): Answer => {
      if (!(error instanceof ProxyError)) throw error
      return { status: error.status, body: { error: error.message, status: error.status } }
    })
    response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' })
    response.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const method = request.method ?? 'GET'
    const path = new URL(request.url ?? '/', 'http://proxy').pathname.split('/').filter(Boolean).map(decodeURIComponent)
    const body = method === 'POST' || method === 'PATCH' ? await bodyOf(request) : {}
    const [first, name, toxics, toxicName] = path
    if (first === 'version') return { status: 200, body: { version: VERSION } }
    if (first === 'metrics') return { status: 200, body: this.#metrics() }
    if (first === 'reset' && method === 'POST') return this.#reset()
    if (first === 'populate' && method === 'POST') return this.#populate(body as unknown as readonly ProxyJson[])
    if (first !== 'proxies') throw new ProxyError(404, 'not found')
    if (name === undefined) return this.#all(method, body)
    if (toxics === undefined) return this.#one(method, name, body)
    if (toxics !== 'toxics') throw new ProxyError(404, 'not found')
    return toxicName === undefined ? this.#toxics(method, name, body) : this.#toxic(method, name, toxicName, body)
  }

  async #all(method: string, body: Body): Promise<Answer> {
    if (method === 'GET') return { status: 200, body: Object.fromEntries([...this.#proxies].map(([n, p]) => [n, p.toJSON()])) }
    if (method !== 'POST') throw new ProxyError(405, 'method not allowed')
    return { status: 201, body: await this.#create(body) }
  }

  async #create(json: Body): Promise<ProxyJson> {
    const { name, listen, upstream, enabled = true } = json as Partial<ProxyJson>
    if (!name) throw new ProxyError(400, 'missing required field: name')
    if (!upstream) throw new ProxyError(400, 'missing required field: upstream')
    if (this.#proxies.has(name)) throw new ProxyError(409, 'proxy already exists')
    const proxy = new Proxy({ name, listen: listen ?? '127.0.0.1:0', upstream })
    if (enabled) await proxy.enable()
    this.#proxies.set(name, proxy)
    return proxy.toJSON()
  }

  async #populate(list: readonly ProxyJson[]): Promise<Answer> {
    if (!Array.isArray(list)) throw new ProxyError(400, 'bad request body: a list of proxies is expected')
    const proxies: ProxyJson[] = []
    for (const json of list) {
      const known = this.#proxies.get(json.name)
      if (known) {
        await known.update(json)
        proxies.push(known.toJSON())
      } else proxies.push(await this.#create(json as unknown as Body))
    }
    return { status: 201, body: { proxies } }
  }

  async #reset(): Promise<Answer> {
    for (const proxy of this.#proxies.values()) {
      proxy.removeToxics()
      await proxy.enable()
    }
    return { status: 204 }
  }

  async #one(method: string, name: string, body: Body): Promise<Answer> {
    const proxy = this.#proxy(name)
    switch (method) {
      case 'GET':
        return { status: 200, body: proxy.toJSON() }
      case 'POST':
      case 'PATCH':
        await proxy.update(body)
        return { status: 200, body: proxy.toJSON() }
      case 'DELETE':
        proxy.disable()
        this.#proxies.delete(name)
        return { status: 204 }
      default:
        throw new ProxyError(405, 'method not allowed')
    }
  }

  #toxics(method: string, name: string, body: Body): Answer {
    const proxy = this.#proxy(name)
    if (method === 'GET') return { status: 200, body: proxy.toxics.map((t) => t.toJSON()) }
    if (method !== 'POST') throw new ProxyError(405, 'method not allowed')
    return { status: 200, body: proxy.addToxic(body as Partial<ToxicJson>).toJSON() }
  }

  #toxic(method: string, name: string, toxicName: string, body: Body): Answer {
    const proxy = this.#proxy(name)
    switch (method) {
      case 'GET':
        return { status: 200, body: proxy.toxic(toxicName).toJSON() }
      case 'POST':
      case 'PATCH':
        return { status: 200, body: proxy.updateToxic(toxicName, body).toJSON() }
      case 'DELETE':
        proxy.removeToxic(toxicName)
        return { status: 204 }
      default:
        throw new ProxyError(405, 'method not allowed')
    }
  }

  #proxy(name: string): Proxy {
    const proxy = this.#proxies.get(name)
    if (!proxy) throw new ProxyError(404, 'proxy not found')
    return proxy
  }

  #metrics(): string {
    const lines = [...this.#proxies.values()].map((p) => `toxiproxy_proxy_enabled{proxy="${p.name}"} ${p.enabled ? 1 : 0}`)
    return `${lines.join('\n')}\n`
  }
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new ProxyError(413, 'request body too large')
    chunks.push(chunk)
  }
  if (bytes === 0) return {}
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Body
  } catch (error) {
    throw new ProxyError(400, `bad request body: ${(error as Error).message}`)
  }
}
