// The proxies of a cluster's links, behind Toxiproxy's API: those of the proxy process that comes with the product, or a Toxiproxy that
// somebody runs.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { type Proxy, Toxiproxy } from 'toxiproxy-node-client'
import type { Flow, Link } from './link.ts'

export interface LinkTarget {
  readonly link: Link
  /** Where the proxy listens: "127.0.0.1:9092"; with port 0 a free one. */
  readonly listen: string
  readonly upstream: string
}

export interface ToxicWish {
  /** One of Toxiproxy's types. */
  readonly type: string
  readonly attributes: Readonly<Record<string, number>>
  readonly toxicity: number
}

export class ProxiedLinks {
  readonly #toxiproxy: Toxiproxy
  readonly #child: ChildProcess | undefined
  readonly #proxies = new Map<string, Proxy>()
  readonly #all: Link[] = []

  private constructor(toxiproxy: Toxiproxy, child: ChildProcess | undefined) {
    this.#toxiproxy = toxiproxy
    this.#child = child
  }

  /** `url` is that of a Toxiproxy; without it our own is started. Refuses when there is none. */
  static async start(program: string, url: string | null): Promise<ProxiedLinks> {
    const own = url === null ? await startProxy(program) : undefined
    const toxiproxy = new Toxiproxy(url ?? `http://127.0.0.1:${own!.port}`)
    const links = new ProxiedLinks(toxiproxy, own?.child)
    await links.#ask(() => toxiproxy.getVersion())
    return links
  }

  async create(targets: readonly LinkTarget[]): Promise<void> {
    for (const { link, listen, upstream } of targets) {
      const old = await this.#toxiproxy.get(link.name).catch(() => undefined)
      await old?.remove()
      const proxy = await this.#ask(() => this.#toxiproxy.createProxy({ name: link.name, listen, upstream }))
      this.#proxies.set(link.name, proxy)
      this.#all.push(link)
    }
  }

  /** All that have a proxy. */
  get all(): readonly Link[] {
    return this.#all
  }

  /** Where whoever dials the link connects to. */
  address(link: Link): string {
    return this.#proxies.get(link.name)!.listen.replace('[::]', '127.0.0.1')
  }

  /** Returns how to take it away again. */
  async addToxic(fault: string, { link, stream }: Flow, { type, attributes, toxicity }: ToxicWish): Promise<() => Promise<void>> {
    const proxy = this.#proxies.get(link.name)!
    const name = `${fault}_${type}_${stream}`
    const toxic = await this.#ask(() => proxy.addToxic({ name, type: type as never, stream, toxicity, attributes }))
    return () => this.#ask(() => toxic.remove())
  }

  /** Refuses connections, or takes them again. */
  async setEnabled(link: Link, enabled: boolean): Promise<void> {
    const { listen, upstream } = this.#proxies.get(link.name)!
    await this.#ask(() => this.#proxies.get(link.name)!.update({ enabled, listen, upstream }))
  }

  async close(): Promise<void> {
    const child = this.#child
    if (!child) return void (await Promise.all([...this.#proxies.values()].map((proxy) => proxy.remove().catch(() => {}))))
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      const what = `Toxiproxy at ${this.#toxiproxy.host}: ${(error as Error).message}`
      throw new Refusal(
        'LINKS_FAILED',
        what,
        'is it running, and are its ports free? Without --toxiproxy the product brings its own',
      )
    }
  }
}

async function startProxy(program: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(program, 'proxy.cjs'), '0'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the proxy ended with exit code ${code}`)))
    child.stdout!.once('data', (data: Buffer) => resolve(data.toString()))
  })
  return { child, port: (JSON.parse(line) as { port: number }).port }
}
