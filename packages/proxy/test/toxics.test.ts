// Each toxic as a client behind the proxy sees it, driven by Toxiproxy's own Node client. The same tests run against a real Toxiproxy where
// TOXIPROXY_URL says where one is.
import { createServer, connect, type Server, type Socket } from 'node:net'
import { Toxiproxy, type Proxy as ProxyHandle } from 'toxiproxy-node-client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ProxyServer } from '../src/index.ts'

const REAL = process.env['TOXIPROXY_URL']

let server: ProxyServer | undefined
let toxiproxy: Toxiproxy
let echo: Server
let proxy: ProxyHandle
const sockets = new Set<Socket>()

beforeAll(async () => {
  server = REAL ? undefined : new ProxyServer()
  const url = REAL ?? `http://127.0.0.1:${await server!.listen('127.0.0.1', 0)}`
  toxiproxy = new Toxiproxy(url)
  echo = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  for (const socket of sockets) socket.destroy()
  echo.close()
  server?.close()
})

beforeEach(async () => {
  const { port } = echo.address() as { port: number }
  proxy = await toxiproxy.createProxy({ name: 'echo', listen: '127.0.0.1:0', upstream: `127.0.0.1:${port}` })
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await proxy.remove()
})

class Client {
  readonly socket: Socket
  received = Buffer.alloc(0)
  chunks: number[] = []
  /** How it ended: 'end', or the code of the error. */
  ended: string | undefined
  #wake: () => void = () => {}

  constructor(listen: string) {
    this.socket = connect(Number(listen.split(':').at(-1)), '127.0.0.1')
    sockets.add(this.socket)
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      this.chunks.push(chunk.length)
      this.#wake()
    })
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.ended = error.code))
    this.socket.on('close', () => {
      this.ended ??= 'end'
      this.#wake()
    })
  }

  async until(condition: () => boolean, limitMs = 5000): Promise<void> {
    const deadline = performance.now() + limitMs
    while (!condition()) {
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`${this.received.length} bytes, ended: ${this.ended}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Sends, and waits for as many bytes to come back. Resolves with how long that took, in ms. */
  async echo(bytes: Buffer): Promise<number> {
    const wanted = this.received.length + bytes.length
    const began = performance.now()
    this.socket.write(bytes)
    await this.until(() => this.received.length >= wanted)
    return performance.now() - began
  }

  async ends(): Promise<string> {
    await this.until(() => this.ended !== undefined)
    return this.ended!
  }
}

const open = () => new Client(proxy.listen)
const toxic = (
  type: string,
  attributes: Record<string, number>,
  stream: 'upstream' | 'downstream' = 'downstream',
  toxicity = 1,
) => proxy.addToxic({ type: type as never, name: type, stream, toxicity, attributes })
const remove = async (name: string) => (await proxy.getToxic(name)).remove()

describe('a proxy', () => {
  it('passes everything on, whole and in order', async () => {
    const client = open()
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251))
    await client.echo(sent)
    expect(client.received.equals(sent)).toBe(true)
  })

  it('ends one side when the other ends', async () => {
    const client = open()
    await client.echo(Buffer.from('x'))
    client.socket.end()
    expect(await client.ends()).toBe('end')
  })

  it('lets nobody through while it is disabled, and cuts off who was through', async () => {
    const client = open()
    await client.echo(Buffer.from('x'))
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream } as never)
    await client.ends()
    expect(await open().ends()).toBe('ECONNREFUSED')
    await proxy.update({ enabled: true, listen: proxy.listen, upstream: proxy.upstream } as never)
    await open().echo(Buffer.from('x'))
  })

  it('ends a connection when nobody listens behind it', async () => {
    const dead = await toxiproxy.createProxy({ name: 'dead', listen: '127.0.0.1:0', upstream: '127.0.0.1:1' })
    await new Client(dead.listen).ends()
    await dead.remove()
  })

  it('is reset to what it was', async () => {
    await toxic('latency', { latency: 100, jitter: 0 })
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream } as never)
    await toxiproxy.reset()
    const { enabled, toxics } = (await (await fetch(`${toxiproxy.host}/proxies/echo`)).json()) as { enabled: boolean; toxics: [] }
    expect([enabled, toxics]).toEqual([true, []])
  })
})

describe('latency', () => {
  it.each(['upstream', 'downstream'] as const)('delays what goes %s', async (stream) => {
    const client = open()
    await client.echo(Buffer.from('x'))
    await toxic('latency', { latency: 150, jitter: 0 }, stream)
    expect(await client.echo(Buffer.from('y'))).toBeGreaterThan(140)
    await remove('latency')
    expect(await client.echo(Buffer.from('z'))).toBeLessThan(100)
    expect(client.received.toString()).toBe('xyz')
  })

  it('keeps the order, whatever the jitter', async () => {
    await toxic('latency', { latency: 20, jitter: 20 })
    const client = open()
    const sent = Array.from({ length: 50 }, (_, i) => String.fromCharCode(65 + (i % 26)))
    for (const letter of sent) client.socket.write(letter)
    await client.until(() => client.received.length === sent.length)
    expect(client.received.toString()).toBe(sent.join(''))
  })
})

describe('bandwidth', () => {
  it('lets through no more than its rate', async () => {
    await toxic('bandwidth', { rate: 100 })
    expect(await open().echo(Buffer.alloc(50_000))).toBeGreaterThan(350)
  })
})

describe('slicer', () => {
  it('cuts what comes into pieces', async () => {
    await toxic('slicer', { average_size: 100, size_variation: 10, delay: 2000 })
    const client = open()
    await client.echo(Buffer.alloc(1000))
    expect(client.chunks.length).toBeGreaterThan(3)
  })
})

describe('slow_close', () => {
  it('closes late', async () => {
    await toxic('slow_close', { delay: 200 })
    const client = open()
    await client.echo(Buffer.from('x'))
    const began = performance.now()
    client.socket.end()
    await client.ends()
    expect(performance.now() - began).toBeGreaterThan(190)
  })
})

describe('timeout', () => {
  it('lets nothing through, and closes the connection', async () => {
    const client = open()
    await client.echo(Buffer.from('x'))
    await toxic('timeout', { timeout: 150 })
    client.socket.write('y')
    expect(await client.ends()).toBe('end')
    expect(client.received.toString()).toBe('x')
  })

  it('with 0, it stays open and silent', async () => {
    await toxic('timeout', { timeout: 0 })
    const client = open()
    client.socket.write('y')
    await expect(client.until(() => client.received.length > 0 || client.ended !== undefined, 300)).rejects.toThrow()
  })
})

describe('reset_peer', () => {
  it('resets the connection', async () => {
    await toxic('reset_peer', { timeout: 50 })
    const client = open()
    client.socket.write('y')
    expect(await client.ends()).toBe('ECONNRESET')
  })
})

describe('limit_data', () => {
  it('closes the connection after so many bytes', async () => {
    await toxic('limit_data', { bytes: 100 })
    const client = open()
    client.socket.write(Buffer.alloc(250))
    await client.ends()
    expect(client.received.length).toBe(100)
  })
})

describe('toxicity', () => {
  it('is the share of connections that a toxic works on', async () => {
    await toxic('timeout', { timeout: 1 }, 'downstream', 0.5)
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const client = open()
        client.socket.write('x')
        await client.until(() => client.received.length > 0 || client.ended !== undefined)
        return client.received.length
      }),
    )
    expect(new Set(outcomes)).toEqual(new Set([0, 1]))
  })
})

describe('the API', () => {
  const ask = async (method: string, path: string, body?: unknown) => {
    const init = { method, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) }
    const response = await fetch(`${toxiproxy.host}${path}`, init)
    return { status: response.status, error: ((await response.json().catch(() => ({}))) as { error?: string }).error }
  }

  it.each([
    ['GET', '/proxies/none', undefined, 404, /proxy not found/],
    ['GET', '/proxies/echo/toxics/none', undefined, 404, /toxic not found/],
    ['POST', '/proxies', { name: 'echo', listen: '127.0.0.1:0', upstream: 'a:1' }, 409, /proxy already exists/],
    ['POST', '/proxies', { listen: '127.0.0.1:0' }, 400, /name/],
    ['POST', '/proxies', '{"name"', 400, /bad request body/],
    ['POST', '/proxies/echo/toxics', { type: 'poison' }, 400, /invalid toxic type/],
    ['POST', '/proxies/echo/toxics', { type: 'latency', stream: 'sideways' }, 400, /stream was invalid/],
  ])('%s %s is answered as Toxiproxy does', async (method, path, body, status, error) => {
    expect(await ask(method, path, body)).toEqual({ status, error: expect.stringMatching(error) })
  })

  it('refuses a second toxic of a name, and an address that is taken', async () => {
    await toxic('latency', { latency: 1, jitter: 0 })
    expect((await ask('POST', '/proxies/echo/toxics', { type: 'latency', name: 'latency' })).status).toBe(409)
    const taken = { name: 'other', listen: proxy.listen, upstream: '127.0.0.1:1' }
    expect(await ask('POST', '/proxies', taken)).toMatchObject({
      status: 500,
      error: expect.stringMatching(/address already in use/i),
    })
  })

  it('knows its version, and populates', async () => {
    expect((await ask('GET', '/version')).status).toBe(200)
    const proxies = await toxiproxy.populate([{ name: 'p1', listen: '127.0.0.1:0', upstream: '127.0.0.1:1' }] as never)
    expect(Object.keys(proxies).length).toBe(1)
    await (await toxiproxy.get('p1')).remove()
  })
})
