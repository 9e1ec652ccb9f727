// Proxies of links outlive their Toxiproxy: one that was started again is told everything anew, and what is asked meanwhile is refused.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ProxyServer } from '@faultline/proxy'
import { until } from '../../../test/support/cluster.ts'
import { linkOf } from '../src/links/link.ts'
import { ProxiedLinks } from '../src/links/proxied-links.ts'

interface Shown {
  readonly enabled: boolean
  readonly listen: string
  readonly toxics: readonly { readonly name: string; readonly attributes: object }[]
}

const LINK = linkOf('broker:1', 'broker:2', 'replication')
const OTHER = linkOf('clients', 'broker:2', 'client')
const LATE = { type: 'latency', attributes: { latency: 100, jitter: 0 }, toxicity: 1 }
const UPSTREAM = [{ link: LINK, stream: 'upstream' }] as const

describe('the proxies of links', () => {
  let toxiproxy: ProxyServer
  let port: number
  let links: ProxiedLinks
  let told: { event: string; fields: Readonly<Record<string, unknown>> }[]

  beforeEach(async () => {
    toxiproxy = new ProxyServer()
    port = await toxiproxy.listen('127.0.0.1', 0)
    links = await open()
    told = []
    links.watch((event, fields) => void told.push({ event, fields }))
  })
  afterEach(async () => {
    await links.close()
    toxiproxy.close()
  })

  const open = async () => {
    const opened = await ProxiedLinks.start('', `http://127.0.0.1:${port}`)
    const at = (link: typeof LINK) => ({ link, listen: '127.0.0.1:0', upstream: '127.0.0.1:9' })
    await opened.create([at(LINK), at(OTHER)])
    return opened
  }
  const shown = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/proxies`)
    return (await response.json()) as Record<string, Shown>
  }
  const toxicsOf = async (name: string) => (await shown())[name]?.toxics.map((t) => t.name)
  const hears = (event: string) => until(event, async () => told.find((t) => t.event === event))
  const goAway = async () => {
    toxiproxy.close()
    await hears('links.lost')
  }
  const comeBack = async () => {
    toxiproxy = new ProxyServer()
    await toxiproxy.listen('127.0.0.1', port)
    return hears('links.restored')
  }

  it('are made again on the same ports, with what was armed, and that is told', async () => {
    const address = links.address(LINK)
    await links.addToxics('f1', UPSTREAM, LATE)
    await links.refuse('f2', [OTHER])
    await goAway()
    expect((await comeBack()).fields).toMatchObject({ proxies: 2, toxics: 1 })
    const { [LINK.name]: one, [OTHER.name]: other } = await shown()
    expect(one).toMatchObject({ listen: address, enabled: true, toxics: [{ name: 'f1_latency_upstream' }] })
    expect(one!.toxics[0]!.attributes).toMatchObject({ latency: 100 })
    expect(other!.enabled).toBe(false)
    expect(told.map((t) => t.event)).toEqual(['links.lost', 'links.restored'])
  })

  it('are not missed when they were away too short to be asked', async () => {
    await links.addToxics('f1', UPSTREAM, LATE)
    toxiproxy.close()
    await comeBack()
    expect(await toxicsOf(LINK.name)).toEqual(['f1_latency_upstream'])
  })

  it('refuse what is asked while they are away, and forget what is healed meanwhile', async () => {
    const heal = await links.addToxics('f1', UPSTREAM, LATE)
    await goAway()
    await expect(links.addToxics('f2', UPSTREAM, LATE)).rejects.toThrow(/is away, and with it every link/)
    await heal()
    await comeBack()
    expect(await toxicsOf(LINK.name)).toEqual([])
  })

  it('have all toxics of a fault, or none', async () => {
    const wrong = { ...LATE, type: 'nonsense' }
    await expect(links.addToxics('f1', [...UPSTREAM, { link: OTHER, stream: 'upstream' }], wrong)).rejects.toThrow('400')
    expect([await toxicsOf(LINK.name), await toxicsOf(OTHER.name)]).toEqual([[], []])
    await links.addToxics('f2', UPSTREAM, LATE)
  })

  it('refuse connections until the last fault that wants it is healed', async () => {
    const heal = [await links.refuse('f1', [LINK]), await links.refuse('f2', [LINK])]
    await heal[0]!()
    expect((await shown())[LINK.name]!.enabled).toBe(false)
    await heal[1]!()
    expect((await shown())[LINK.name]!.enabled).toBe(true)
  })

  it('keep what somebody else put there', async () => {
    const toxic = { name: 'by-hand', type: 'latency', stream: 'upstream', attributes: { latency: 1 } }
    await fetch(`http://127.0.0.1:${port}/proxies/${LINK.name}/toxics`, { method: 'POST', body: JSON.stringify(toxic) })
    const heal = await links.addToxics('f1', UPSTREAM, LATE)
    await heal()
    expect(await toxicsOf(LINK.name)).toEqual(['by-hand'])
  })
})

describe('a director that is started again', () => {
  it('leaves proxies that are as they are to be alone, with their toxics, but for those that nobody holds', async () => {
    const toxiproxy = new ProxyServer()
    const url = `http://127.0.0.1:${await toxiproxy.listen('127.0.0.1', 0)}`
    const first = await ProxiedLinks.start('', url)
    await first.create([{ link: LINK, listen: '127.0.0.1:0', upstream: '127.0.0.1:9' }])
    await first.addToxics('f1', UPSTREAM, LATE)
    await first.addToxics('f2', UPSTREAM, LATE)
    const second = await ProxiedLinks.start('', url)
    await second.create([{ link: LINK, listen: first.address(LINK), upstream: '127.0.0.1:9' }])
    const names = async () => {
      const all = (await (await fetch(`${url}/proxies`)).json()) as Record<string, Shown>
      return all[LINK.name]!.toxics.map((t) => t.name)
    }
    await second.addToxics('f1', UPSTREAM, LATE)
    expect(await names()).toEqual(['f1_latency_upstream', 'f2_latency_upstream'])
    second.watch(() => {})
    await until('toxics that are held alone', async () => (await names()).join() === 'f1_latency_upstream')
    await second.close()
    toxiproxy.close()
  })
})
