// What the report shows, made small: times in milliseconds since the load began, series in at most so many buckets, whatever the run's size.
import type { ClusterEvent } from '@faultline/director'
import type { Evidence, Judged } from '../expectations/index.ts'
import type { Verdict } from '../run/verdict.ts'

export interface Span {
  readonly from: number
  readonly to: number
  readonly label: string
}

export interface Mark {
  readonly at: number
  readonly label: string
}

export interface PartitionState {
  readonly at: number
  readonly leader: number
  readonly epoch: number
  readonly isr: readonly number[]
}

export interface ReportData {
  readonly name: string
  readonly about: string
  readonly outcome: Verdict['outcome']
  readonly reasons: readonly string[]
  readonly expectations: readonly Judged[]
  readonly unasked: readonly string[]
  readonly seed: number
  readonly counts: Readonly<Record<string, number>>
  readonly startedAt: number
  readonly durationMs: number
  readonly brokenAt: number
  readonly healedAt: number
  readonly steps: readonly Mark[]
  readonly faults: readonly (Span & { readonly hits: readonly number[] })[]
  readonly down: readonly Span[]
  readonly partitions: readonly { readonly name: string; readonly replicas: number; readonly states: readonly PartitionState[] }[]
  readonly controllers: readonly Mark[]
  readonly rebalances: readonly Mark[]
  readonly errors: readonly (Mark & { readonly count: number; readonly node: string })[]
  readonly bucketMs: number
  /** By bucket: acknowledged sends, and their times; -1 where there were none. */
  readonly acknowledged: readonly number[]
  readonly read: readonly number[]
  readonly p50: readonly number[]
  readonly p99: readonly number[]
}

const BUCKETS = 600
const BUCKET_AT_LEAST_MS = 100
const ERRORS_SHOWN = 2000

export function reportData(evidence: Evidence, verdict: Verdict): ReportData {
  const { experiment, history, endedAt } = evidence
  const startedAt = history.sends[0]?.began ?? evidence.brokenAt
  const durationMs = Math.max(1, endedAt - startedAt)
  const since = (t: number) => Math.round(t - startedAt)
  const inRun = evidence.events.filter((e) => e.t >= startedAt && e.t <= endedAt)
  const { acknowledged, indeterminate, failed, read, acknowledgedBefore, acknowledgedAfter } = verdict
  return {
    name: experiment.name,
    about: experiment.about.trim(),
    outcome: verdict.outcome,
    reasons: verdict.reasons,
    expectations: verdict.expectations,
    unasked: verdict.unasked,
    seed: verdict.seed,
    counts: { acknowledged, indeterminate, failed, read, acknowledgedBefore, acknowledgedAfter },
    startedAt,
    durationMs,
    brokenAt: since(evidence.brokenAt),
    healedAt: since(evidence.healedAt),
    steps: evidence.steps.map(({ at, what }) => ({ at: since(at), label: what })),
    faults: faultSpans(evidence, since),
    down: downSpans(inRun, since, durationMs),
    partitions: partitionStates(evidence, since),
    controllers: inRun
      .filter((e) => e.event === 'controller.active')
      .map((e) => mark(e, since, `${e.node} is active, term ${e['term']}`)),
    rebalances: inRun
      .filter((e) => e.event === 'group.state' && /Rebalance|Reconciling|Assigning/.test(String(e['state'])))
      .map((e) => mark(e, since, `${e['group']}: ${e['state']} (${e['reason'] ?? ''})`)),
    errors: inRun
      .filter((e) => e.event === 'client.error')
      .slice(0, ERRORS_SHOWN)
      .map((e) => ({ ...mark(e, since, errorText(e)), node: e.node, count: 1 + Number(e['repeated'] ?? 0) })),
    ...series(evidence, startedAt, durationMs),
  }
}

type Since = (t: number) => number

function mark(event: ClusterEvent, since: Since, label: string): Mark {
  return { at: since(event.t), label }
}

function errorText(e: ClusterEvent): string {
  const place = e['topic'] === undefined ? '' : ` on ${e['topic']}${e['partition'] === undefined ? '' : `-${e['partition']}`}`
  return `${e['api']} of ${e['client']}: ${e['error']}${place}`
}

function faultSpans({ events, endedAt }: Evidence, since: Since): ReportData['faults'] {
  const of = (name: string, id: unknown) => events.filter((e) => e.event === name && e['fault'] === id)
  return events
    .filter((e) => e.event === 'fault.begin')
    .map((begin) => {
      const id = begin['fault']
      const end = of('fault.end', id)[0]?.t ?? endedAt
      const label = `${id}: ${begin['family']} ${begin['kind']}`
      return { from: since(begin.t), to: since(end), label, hits: of('fault.hit', id).map((e) => since(e.t)) }
    })
}

/** From a process's end, or pause, to when it is back. */
function downSpans(events: readonly ClusterEvent[], since: Since, durationMs: number): Span[] {
  const spans: Span[] = []
  const open = new Map<string, { from: number; how: string }>()
  for (const e of events) {
    const name = String(e['name'])
    if (e.event === 'process.exit') open.set(name, { from: since(e.t), how: String(e['how']) })
    else if (e.event === 'process.pause') open.set(name, { from: since(e.t), how: 'paused' })
    else if (e.event === 'process.start' || e.event === 'process.resume') {
      const began = open.get(name)
      if (began) spans.push({ from: began.from, to: since(e.t), label: `${name}: ${began.how}` })
      open.delete(name)
    }
  }
  for (const [name, { from, how }] of open) spans.push({ from, to: durationMs, label: `${name}: ${how}` })
  return spans
}

function partitionStates({ experiment, events }: Evidence, since: Since): ReportData['partitions'] {
  const states = new Map<string, PartitionState[]>()
  for (const e of events) {
    if (e.event !== 'partition.change' && e.event !== 'leader.begin') continue
    const key = `${e['topic']}-${e['partition']}`
    const leader = e.event === 'leader.begin' ? Number(e.node.split(':')[1]) : Number(e['leader'])
    const epoch = Number(e['leaderEpoch'] ?? e['epoch'])
    const state = { at: Math.max(0, since(e.t)), leader, epoch, isr: (e['isr'] ?? []) as number[] }
    states.set(key, [...(states.get(key) ?? []), state])
  }
  return experiment.topics.flatMap(({ name, partitions, replicas }) =>
    Array.from({ length: partitions }, (_, p) => ({ name: `${name}-${p}`, replicas, states: states.get(`${name}-${p}`) ?? [] })),
  )
}

function series({ history }: Evidence, startedAt: number, durationMs: number) {
  const bucketMs = Math.max(BUCKET_AT_LEAST_MS, Math.ceil(durationMs / BUCKETS))
  const count = Math.ceil(durationMs / bucketMs)
  const times: number[][] = Array.from({ length: count }, () => [])
  const read = Array.from({ length: count }, () => 0)
  for (const { ended, began } of history.acknowledged) times[Math.floor((ended! - startedAt) / bucketMs)]?.push(ended! - began)
  for (const { at } of history.reads) {
    const bucket = Math.floor((at - startedAt) / bucketMs)
    if (bucket >= 0 && bucket < count) read[bucket]!++
  }
  for (const bucket of times) bucket.sort((a, b) => a - b)
  const quantile = (q: number) => times.map((t) => t[Math.min(t.length - 1, Math.floor(t.length * q))] ?? -1)
  return { bucketMs, acknowledged: times.map((t) => t.length), read, p50: quantile(0.5), p99: quantile(0.99) }
}
