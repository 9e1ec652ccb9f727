// faultline fault add, list, points, heal, heal-all.
import { Refusal } from '@faultline/base'
import type { ClusterControl, FaultRequestInput, FaultView } from '@faultline/director'
import { print, printJson, table } from '../output.ts'
import { attach, type Target } from '../target.ts'

interface Options extends Target {
  readonly output: 'text' | 'json'
  readonly do?: string
  readonly node?: string
  readonly from?: string
  readonly to?: string
  readonly plane?: string
  readonly toxic?: string
  readonly cut?: string
  readonly api?: string[]
  readonly topic?: string
  readonly partition?: number
  readonly group?: string
  readonly txn?: string
  readonly client?: string
  readonly file?: string
  readonly point?: string
  readonly when?: string
  readonly nth?: number
  readonly every?: number
  readonly probability?: number
  readonly seed?: number
  readonly after?: string
  readonly count?: number
  readonly ttl?: string
  readonly in?: string
  readonly observe: boolean
  readonly with: Readonly<Record<string, string>>
}

const ACTIONS: Readonly<Record<string, (cluster: ClusterControl, what: readonly string[], options: Options) => Promise<void>>> = {
  add,
  list,
  points,
  heal,
  'heal-all': healAll,
}

export async function fault(action: string, what: readonly string[], options: Options): Promise<void> {
  const run = ACTIONS[action]
  if (!run) {
    const known = Object.keys(ACTIONS).join(', ')
    throw new Refusal('BAD_ARGUMENT', `fault ${action} is not known`, `use one of ${known}`)
  }
  await run(attach(options), what, options)
}

async function add(cluster: ClusterControl, [family]: readonly string[], options: Options): Promise<void> {
  const advice = 'as in: npx faultline fault add protocol --api Produce --do lose-reply --count 1'
  if (family === undefined) throw new Refusal('BAD_ARGUMENT', 'fault add needs a family', advice)
  const link = linkKind(options)
  const kind = options.do ?? link?.kind
  if (kind === undefined) throw new Refusal('BAD_ARGUMENT', 'fault add needs --do and a kind', advice)
  const view = await cluster.addFault(requestOf(family, kind, { ...options, with: { ...link?.with, ...options.with } }))
  if (options.output === 'json') return printJson(view)
  print(faultTable([view]))
  print(`\nnext: npx faultline fault list        npx faultline fault heal ${view.id}`)
}

/** What the number of a toxic is called, where it is not called like the toxic. */
const MEASURE: Readonly<Record<string, string>> = {
  bandwidth: 'rate',
  'slow-close': 'delay',
  'reset-peer': 'timeout',
  slicer: 'average_size',
  'limit-data': 'bytes',
}

/** --toxic latency=200,jitter=50 and --cut one-way are short for --do and --with. */
function linkKind({ toxic, cut }: Options): { kind: string; with: Record<string, string> } | undefined {
  if (cut !== undefined) return { kind: 'cut', with: { ways: cut === 'one-way' ? 'one' : cut } }
  if (toxic === undefined) return undefined
  const pairs = toxic.split(',').map((pair) => pair.split('=') as [string, string | undefined])
  const kind = pairs[0]![0].replaceAll('_', '-')
  // latency=200 is short for latency,latency=200, and bandwidth=100 for bandwidth,rate=100.
  const named = pairs.flatMap(([name, value], i) =>
    value === undefined ? [] : [[i === 0 ? (MEASURE[kind] ?? name) : name, value]],
  )
  return { kind, with: Object.fromEntries(named) as Record<string, string> }
}

function requestOf(family: string, kind: string, o: Options): FaultRequestInput {
  const [after, hits] = o.after?.split(':') ?? []
  const request = {
    family,
    kind,
    node: o.node,
    from: o.from,
    to: o.to,
    plane: o.plane,
    where: {
      apis: o.api,
      topic: o.topic,
      partition: o.partition,
      group: o.group,
      transactionalId: o.txn,
      clientId: o.client,
      file: o.file,
      point: o.point,
    },
    when: o.when,
    nth: o.nth,
    every: o.every,
    probability: o.probability,
    seed: o.seed,
    after: after === undefined ? undefined : { fault: after, hits: Number(hits ?? 1) },
    count: o.count,
    ttl: o.ttl,
    in: o.in,
    observe: o.observe,
    with: Object.fromEntries(Object.entries(o.with).map(([name, value]) => [name, parameter(value)])),
  }
  return request as FaultRequestInput
}

function parameter(value: string): string | number {
  return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value
}

async function list(cluster: ClusterControl, _what: readonly string[], { output }: Options): Promise<void> {
  const faults = await cluster.faults()
  if (output === 'json') return printJson(faults)
  print(faults.length === 0 ? 'nothing is broken\nnext: npx faultline fault points' : faultTable(faults))
}

async function points(cluster: ClusterControl, _what: readonly string[], { output }: Options): Promise<void> {
  const { families, conditions, points: named } = await cluster.points()
  if (output === 'json') return printJson({ families, conditions, points: named })
  const rows = families.flatMap(({ family, kinds }) =>
    kinds.map(({ kind, what, parameters }) => [
      family,
      kind,
      parameters.map((p) => `${p.name}=${p.default ?? ''}`).join(' '),
      what,
    ]),
  )
  print(table(['FAMILY', 'KIND', 'WITH', 'WHAT HAPPENS'], rows))
  print(`\n${table(['POINT', 'WHERE'], Object.entries(named))}`)
  print(
    `\n${table(
      ['CONDITION ON', 'FIELDS'],
      conditions.map((c) => [`${c.subject}(${c.key})`, c.fields.join(', ')]),
    )}`,
  )
}

async function heal(cluster: ClusterControl, [id]: readonly string[], { output }: Options): Promise<void> {
  if (id === undefined) throw new Refusal('BAD_ARGUMENT', 'fault heal needs an id', 'see them with: npx faultline fault list')
  const view = await cluster.heal(id)
  if (output === 'json') printJson(view)
  else print(faultTable([view]))
}

async function healAll(cluster: ClusterControl, _what: readonly string[], { output }: Options): Promise<void> {
  const { healed } = await cluster.healAll()
  if (output === 'json') printJson({ healed })
  else print(healed === 0 ? 'nothing was broken' : `${healed} healed`)
}

function faultTable(faults: readonly FaultView[]): string {
  const rows = faults.map((f) => [
    f.id,
    f.family,
    f.kind,
    f.state,
    f.nodes.join(' '),
    f.hits,
    f.lastHit ? new Date(Number(f.lastHit['t'])).toISOString().slice(11, 23) : '',
    f.ttlLeftMs === null ? '' : `${(f.ttlLeftMs / 1000).toFixed(1)}s`,
    chosen(f),
  ])
  return table(['ID', 'FAMILY', 'KIND', 'STATE', 'NODES', 'HITS', 'LAST HIT', 'TTL', 'WHICH'], rows)
}

/** What it chooses, and when, in short. */
function chosen({ request, state, hits, matched }: FaultView): string {
  const { where, when, nth, every, probability, count, with: parameters } = request
  const parts = [
    ...Object.entries(where).map(([name, value]) => `${name}=${[value].flat().join(',')}`),
    ...Object.entries({ when, nth, every, probability, count }).flatMap(([name, v]) => (v === undefined ? [] : [`${name}=${v}`])),
    ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`),
  ]
  if (state === 'armed' && matched === 0 && hits === 0) parts.push('(has matched nothing yet)')
  return parts.join(' ')
}
