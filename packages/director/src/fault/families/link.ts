// Faults of links: what one node sends to another is late, slow, cut into pieces, or does not arrive. In a proxied cluster only.
import type { Fleet } from '../../fleet.ts'
import { CLIENTS, type Flow, flows, LINK_PLANES, type LinkPlane } from '../../links/link.ts'
import type { ProxiedLinks, ToxicWish } from '../../links/proxied-links.ts'
import type { Begun, BeginContext, FaultFamily, Kind, Parameter } from '../family.ts'
import { bad, type FaultRequest } from '../fault-request.ts'
import { cutPairs, SHAPES } from '../partition-shape.ts'

const number = (name: string, what: string): Parameter => ({ name, what, default: 0 })
const toxicity: Parameter = { name: 'toxicity', what: 'the share of connections', default: 1, max: 1 }
const ways: Parameter = {
  name: 'ways',
  what: 'what "from" sends, or what "to" sends as well',
  default: 'one',
  oneOf: ['one', 'both'],
}

/** Kinds that are one toxic of Toxiproxy. */
const TOXICS: Readonly<
  Record<string, { readonly type: string; readonly what: string; readonly parameters: readonly Parameter[] }>
> = {
  latency: {
    type: 'latency',
    what: 'everything is late',
    parameters: [number('latency', 'ms'), number('jitter', 'ms more or less')],
  },
  bandwidth: { type: 'bandwidth', what: 'no more than so much gets through', parameters: [number('rate', 'KB a second')] },
  'slow-close': { type: 'slow_close', what: 'connections close late', parameters: [number('delay', 'ms')] },
  timeout: {
    type: 'timeout',
    what: 'nothing arrives, and connections close',
    parameters: [number('timeout', 'ms until then; 0: they stay open')],
  },
  'reset-peer': { type: 'reset_peer', what: 'connections are reset', parameters: [number('timeout', 'ms until then')] },
  slicer: {
    type: 'slicer',
    what: 'data arrives in small pieces',
    parameters: [
      number('average_size', 'bytes'),
      number('size_variation', 'bytes more or less'),
      number('delay', 'us between pieces'),
    ],
  },
  'limit-data': { type: 'limit_data', what: 'connections close after so much data', parameters: [number('bytes', 'how much')] },
}

/** Nothing gets through: a link that refuses connections cannot swallow bytes as well. */
const SEVERS = ['cut', 'refuse', 'flap', 'partition']

const BLACKHOLE: ToxicWish = { type: 'timeout', attributes: { timeout: 0 }, toxicity: 1 }

const KINDS: readonly Kind[] = [
  ...Object.entries(TOXICS).map(([kind, { what, parameters }]) => ({ kind, what, parameters: [...parameters, toxicity, ways] })),
  {
    kind: 'cut',
    what: 'nothing arrives; connections stay open, healed they are closed',
    parameters: [{ name: 'ways', what: 'both ways, or only what "from" sends', default: 'both', oneOf: ['one', 'both'] }],
  },
  { kind: 'refuse', what: 'connections are refused, and those that are open end', parameters: [] },
  {
    kind: 'flap',
    what: 'the link is cut and healed, again and again',
    parameters: [
      { ...number('down', 'ms'), default: 1000, min: 1 },
      { ...number('up', 'ms'), default: 1000, min: 1 },
    ],
  },
  {
    kind: 'partition',
    what: 'nodes are cut into groups',
    parameters: [
      { name: 'shape', what: 'how', default: 'halves', oneOf: Object.keys(SHAPES) },
      { name: 'among', what: 'which nodes', default: 'all', oneOf: ['all', 'brokers', 'controllers'] },
    ],
  },
]

export const link: FaultFamily = {
  family: 'link',
  kinds: KINDS,
  selectors: [],
  beginsAfter: true,
  check(request) {
    if (request.node !== undefined) throw bad('a link is between two', 'use --from and --to')
    if (request.when ?? request.nth ?? request.every ?? request.probability ?? request.count)
      throw bad('a link has no occasions to count or choose', 'use --in, --after or --ttl; toxicity is the share of connections')
    if (request.kind === 'partition' && (request.from ?? request.to))
      throw bad('a partition is among many: from and to are of a cut', 'use --with among=brokers --with shape=halves')
  },
  checkWorld(_, { links }) {
    if (!links) throw bad('links go directly from node to node here', 'start the cluster with: npx faultline up --proxied')
  },
  async begin(request, context) {
    const links = context.fleet.links!
    const chosen = request.kind === 'partition' ? partitionFlows(request, context.fleet) : await chosenFlows(request, context)
    if (chosen.length === 0) throw bad('no link matches: nobody dials there on that plane')
    const names = [...new Set(chosen.map((f) => f.link.name))]
    if (!request.observe && SEVERS.includes(request.kind))
      context.claim(
        names.map((name) => `the link ${name}`),
        request.kind === 'refuse' ? 'exclusive' : 'shared',
      )
    const heal = request.observe ? async () => {} : await apply(request, context, links, chosen)
    for (const name of names) context.hit({ link: name })
    return { nodes: [...new Set(chosen.flatMap((f) => [f.link.source, f.link.target]))], heal }
  },
}

async function chosenFlows(request: FaultRequest, { fleet, named: nameOf }: BeginContext): Promise<Flow[]> {
  const planes: readonly LinkPlane[] = request.plane ? [request.plane] : LINK_PLANES
  const everybody = new Set([...fleet.nodes.map((n) => n.name), CLIENTS])
  const named = async (selector: string | undefined) =>
    selector === undefined ? everybody : selector === CLIENTS ? new Set([CLIENTS]) : new Set([await nameOf(selector)])
  const [from, to] = [await named(request.from), await named(request.to)]
  const { all: links } = fleet.links!
  const there = flows(links, { from, to, planes })
  const waysDefault = request.kind === 'cut' || request.kind === 'flap' || request.kind === 'refuse' ? 'both' : 'one'
  if ((request.with['ways'] ?? waysDefault) === 'one') return there
  const back = flows(links, { from: to, to: from, planes })
  return [...there, ...back.filter((b) => !there.some((f) => f.link.name === b.link.name && f.stream === b.stream))]
}

function partitionFlows({ with: given, plane }: FaultRequest, fleet: Fleet): Flow[] {
  const among = given['among'] ?? 'all'
  const names = fleet.nodes.map((n) => n.name).filter((name) => among === 'all' || name.startsWith(String(among).slice(0, -1)))
  const planes: readonly LinkPlane[] = plane ? [plane] : ['control', 'replication']
  const { all: links } = fleet.links!
  return cutPairs(String(given['shape'] ?? 'halves'), names).flatMap(([a, b]) =>
    flows(links, { from: new Set([a]), to: new Set([b]), planes }),
  )
}

async function apply(
  request: FaultRequest,
  { id }: BeginContext,
  links: ProxiedLinks,
  chosen: readonly Flow[],
): Promise<Begun['heal']> {
  const { kind, with: given } = request
  const add = (wish: ToxicWish) => links.addToxics(id, chosen, wish)
  switch (kind) {
    case 'cut':
    case 'partition':
      return add(BLACKHOLE)
    case 'refuse':
      return links.refuse(id, [...new Map(chosen.map((f) => [f.link.name, f.link])).values()])
    case 'flap':
      return flap(Number(given['down'] ?? 1000), Number(given['up'] ?? 1000), () => add(BLACKHOLE))
    default: {
      const { type, parameters } = TOXICS[kind]!
      const attributes = Object.fromEntries(parameters.map((p) => [p.name, Number(given[p.name] ?? p.default)]))
      return add({ type, attributes, toxicity: Number(given['toxicity'] ?? 1) })
    }
  }
}

/** One change at a time, so that healing finds either a cut link or a whole one. */
async function flap(downMs: number, upMs: number, cut: () => Promise<() => Promise<void>>): Promise<Begun['heal']> {
  let over = false
  let mend: (() => Promise<void>) | undefined = await cut()
  let changing: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout
  const change = async () => {
    if (over) return
    if (mend) {
      await mend()
      mend = undefined
    } else mend = await cut()
  }
  // Where the proxies are away just now, the next turn finds them.
  const schedule = () => {
    if (over) return
    timer = setTimeout(
      () =>
        (changing = change()
          .catch(() => {})
          .then(schedule)),
      mend ? downMs : upMs,
    )
  }
  schedule()
  return async () => {
    over = true
    clearTimeout(timer)
    await changing
    await mend?.()
  }
}
