// The proxies of a cluster's links, behind Toxiproxy's API: those of the proxy process that comes with the product, or a Toxiproxy that
// somebody runs. What there is to be is held here, so that a Toxiproxy that was started again, and has forgotten everything, is told anew.
import { Refusal } from '@faultline/base'
import { type ICreateToxicBody, Proxy, Toxiproxy } from 'toxiproxy-node-client'
import type { Flow, Link } from './link.ts'
import { ProxyProcess } from './proxy-process.ts'

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

export type Undo = () => Promise<void>

/** What a proxy is to be. */
interface Wanted {
  readonly link: Link
  /** With the port that it got. */
  listen: string
  readonly upstream: string
  readonly toxics: Map<string, ICreateToxicBody<unknown>>
  /** Faults for which it refuses connections. */
  readonly refusing: Set<string>
  /** It was turned off from here. */
  off: boolean
}

/** What there is. */
interface There {
  readonly proxy: Proxy
  /** By their names. */
  readonly toxics: ReadonlySet<string>
}

/** What had to be made. */
interface Made {
  proxies: number
  toxics: number
}

type Listed = ConstructorParameters<typeof Proxy>[1]

type Tell = (event: 'links.lost' | 'links.restored', fields: Readonly<Record<string, unknown>>) => void

const LOOK_MS = 500
/** To turn a proxy off, Toxiproxy waits for those that it is just dialling. */
const ANSWER_MS = 10_000
/** Toxics with other names are not ours: whoever put them there may keep them. */
const OURS = /^f\d+_/

export class ProxiedLinks {
  readonly #own: ProxyProcess | undefined
  readonly #wanted = new Map<string, Wanted>()
  #toxiproxy: Toxiproxy
  /** Why it cannot be asked now. */
  #away: string | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #watching: NodeJS.Timeout | undefined
  #tell: Tell = () => {}

  private constructor(toxiproxy: Toxiproxy, own: ProxyProcess | undefined) {
    this.#toxiproxy = toxiproxy
    this.#own = own
  }

  /** `url` is that of a Toxiproxy; without it our own is started. Refuses when there is none. */
  static async start(program: string, url: string | null): Promise<ProxiedLinks> {
    const own = url === null ? new ProxyProcess(program) : undefined
    const links = new ProxiedLinks(new Toxiproxy(url ?? (await own!.start())), own)
    await links.#answer(links.#toxiproxy.getVersion()).catch((error: Error) => {
      throw links.#failed(error)
    })
    return links
  }

  /** A proxy that is there already, as it is to be, stays, and so do its connections. */
  async create(targets: readonly LinkTarget[]): Promise<void> {
    for (const target of targets) {
      this.#wanted.set(target.link.name, { ...target, toxics: new Map(), refusing: new Set(), off: false })
    }
    await this.#inTurn(() => this.#align()).catch((error: Error) => {
      throw this.#failed(error)
    })
  }

  /** From now on what is missing is made again, and what is left of faults that nobody holds any more goes. */
  watch(tell: Tell): void {
    this.#tell = tell
    if (this.#own) this.#own.onExit = (how) => this.#lost(`the proxy ended (${how})`)
    const look = async () => {
      await this.#inTurn(() => this.#look())
      if (this.#watching) this.#watching = setTimeout(() => void look(), LOOK_MS)
    }
    this.#watching = setTimeout(() => void look(), 0)
  }

  /** All that have a proxy. */
  get all(): readonly Link[] {
    return [...this.#wanted.values()].map((w) => w.link)
  }

  /** Where whoever dials the link connects to. */
  address(link: Link): string {
    return this.#wanted.get(link.name)!.listen
  }

  /** All of them, or none and a Refusal. Returns how to take them away again. */
  addToxics(fault: string, chosen: readonly Flow[], { type, attributes, toxicity }: ToxicWish): Promise<Undo> {
    const name = (stream: string) => `${fault}_${type}_${stream}`
    return this.#change(
      () => {
        for (const { link, stream } of chosen) {
          const toxic = { name: name(stream), type: type as never, stream, toxicity, attributes }
          this.#wanted.get(link.name)!.toxics.set(toxic.name, toxic)
        }
      },
      () => {
        for (const { link, stream } of chosen) this.#wanted.get(link.name)!.toxics.delete(name(stream))
      },
    )
  }

  /** Connections are refused, and those that are open end. Returns how to take them again. */
  refuse(fault: string, links: readonly Link[]): Promise<Undo> {
    const each = (act: (refusing: Set<string>) => unknown) => links.forEach((l) => act(this.#wanted.get(l.name)!.refusing))
    return this.#change(
      () => each((refusing) => refusing.add(fault)),
      () => each((refusing) => refusing.delete(fault)),
    )
  }

  async close(): Promise<void> {
    clearTimeout(this.#watching)
    this.#watching = undefined
    await this.#queue
    if (this.#own) return this.#own.stop()
    const there = await this.#all().catch(() => new Map<string, There>())
    const ours = [...there.values()].filter(({ proxy }) => this.#wanted.has(proxy.name))
    await Promise.all(ours.map(({ proxy }) => proxy.remove().catch(() => {})))
  }

  async #change(edit: () => void, undo: () => void): Promise<Undo> {
    await this.#inTurn(async () => {
      if (this.#away !== undefined) throw this.#gone()
      edit()
      try {
        await this.#align()
      } catch (error) {
        undo()
        await this.#look()
        throw this.#away === undefined ? this.#failed(error as Error) : this.#gone()
      }
    })
    // While it is away this is not lost: it has forgotten the fault, or is told when it is back.
    return () =>
      this.#inTurn(() => {
        undo()
        return this.#look()
      })
  }

  /** Makes what is missing, and tells when something was. */
  async #look(): Promise<void> {
    try {
      if (this.#own && !this.#own.runs) this.#toxiproxy = new Toxiproxy(await this.#own.start())
      const { proxies, toxics } = await this.#align()
      if (this.#away === undefined && proxies === 0) return
      this.#away = undefined
      this.#tell('links.restored', { toxiproxy: this.#toxiproxy.host, proxies, toxics })
    } catch (error) {
      const { message } = error as Error
      // All that the client says when it finds nobody.
      this.#lost(message === 'fetch failed' ? 'nobody answers' : message)
    }
  }

  #lost(reason: string): void {
    if (this.#away !== undefined || !this.#watching) return
    this.#away = reason
    this.#tell('links.lost', { toxiproxy: this.#toxiproxy.host, reason })
  }

  /** One after the other, so that each finds what the one before has made. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.catch(() => {})
    return done
  }

  async #align(): Promise<Made> {
    const made: Made = { proxies: 0, toxics: 0 }
    const there = await this.#all()
    const done = await Promise.allSettled([...this.#wanted.values()].map((w) => this.#alignOne(w, there.get(w.link.name), made)))
    // Only when all have ended: whoever is next must not meet one that is still under way.
    const failed = done.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
    return made
  }

  async #all(): Promise<Map<string, There>> {
    const { data } = await this.#answer(this.#toxiproxy.api.get<Record<string, Listed>>(`${this.#toxiproxy.host}/proxies`))
    const listed = Object.values(data).map((one): [string, There] => {
      const toxics = new Set(one.toxics.map((t) => t.name))
      return [one.name, { proxy: new Proxy(this.#toxiproxy, one), toxics }]
    })
    return new Map(listed)
  }

  async #alignOne(wanted: Wanted, there: There | undefined, made: Made): Promise<void> {
    const { listen, upstream, toxics } = wanted
    const kept = there?.proxy.upstream === upstream && portOf(there.proxy.listen) === portOf(listen) ? there : undefined
    if (!kept) await this.#answer(there?.proxy.remove())
    const proxy = kept?.proxy ?? (await this.#create(wanted, made))
    const missing = [...toxics.values()].filter(({ name }) => !kept?.toxics.has(name))
    for (const toxic of missing) await this.#answer(proxy.addToxic(toxic))
    made.toxics += missing.length
    // Before it is watched, faults that are to go on may still be on their way here.
    if (this.#watching === undefined) return void (wanted.off ||= !proxy.enabled)
    const over = [...(kept?.toxics ?? [])].filter((name) => OURS.test(name) && !toxics.has(name))
    for (const name of over) await this.#answer(this.#toxiproxy.api.delete(`${proxy.getPath()}/toxics/${name}`))
    await this.#turn(wanted, proxy)
  }

  async #create(wanted: Wanted, made: Made): Promise<Proxy> {
    const { link, listen, upstream } = wanted
    const proxy = await this.#answer(this.#toxiproxy.createProxy({ name: link.name, listen, upstream })).catch((error: Error) => {
      throw new Error(`the proxy ${link.name} on ${listen}: ${error.message}`)
    })
    if (portOf(listen) === '0') wanted.listen = proxy.listen
    made.proxies++
    return proxy
  }

  async #turn(wanted: Wanted, proxy: Proxy): Promise<void> {
    const { listen, upstream, refusing } = wanted
    const refuses = refusing.size > 0
    if (refuses ? !proxy.enabled : proxy.enabled || !wanted.off) return
    await this.#answer(proxy.update({ enabled: !refuses, listen, upstream }))
    wanted.off = refuses
  }

  async #answer<T>(asked: Promise<T> | undefined): Promise<T> {
    let timer: NodeJS.Timeout
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS)
    })
    return Promise.race([asked as Promise<T>, late]).finally(() => clearTimeout(timer))
  }

  #failed(error: Error): Refusal {
    const advice = 'is it running, and are its ports free? Without --toxiproxy the product brings its own'
    return new Refusal('LINKS_FAILED', `Toxiproxy at ${this.#toxiproxy.host}: ${error.message}`, advice)
  }

  #gone(): Refusal {
    const what = `Toxiproxy at ${this.#toxiproxy.host} is away, and with it every link: ${this.#away}`
    return new Refusal('LINKS_FAILED', what, 'when it runs again its proxies and toxics are made anew by themselves: ask then')
  }
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1)
}
