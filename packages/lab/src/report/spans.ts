// What lasts, in a report: faults in force, nodes that are down, who leads a partition and who is in sync with it.
import type { ClusterEvent } from '@faultline/director'
import { groupBy } from '../checkers/facts.ts'
import type { Evidence } from '../expectations/index.ts'
import { hitsIn, type Happening, type Since } from './happenings.ts'

export interface Span {
  readonly from: number
  readonly to: number
  readonly label: string
}

export interface FaultSpan extends Span {
  readonly id: string
  readonly hits: readonly Happening[]
}

export interface DownSpan extends Span {
  readonly node: string
}

export interface PartitionState {
  readonly at: number
  /** Below 0: nobody. */
  readonly leader: number
  readonly epoch: number
  readonly isr: readonly number[]
  readonly unclean?: true
}

export interface PartitionStates {
  readonly name: string
  readonly replicas: number
  readonly states: readonly PartitionState[]
}

export function faultSpans({ events, endedAt }: Evidence, since: Since): FaultSpan[] {
  const ends = new Map(events.filter((e) => e.event === 'fault.end').map((e) => [e['fault'], e.t]))
  const hits = groupBy(hitsIn(events, since), (h) => h.fault)
  return events
    .filter((e) => e.event === 'fault.begin')
    .map((begin) => {
      const id = String(begin['fault'])
      const [label, to] = [`${id}: ${begin['family']} ${begin['kind']}`, ends.get(id) ?? endedAt]
      return { id, from: since(begin.t), to: since(to), label, hits: hits.get(id) ?? [] }
    })
}

/** From a process's end, or pause, to when it is back. */
export function downSpans(events: readonly ClusterEvent[], since: Since, durationMs: number): DownSpan[] {
  const spans: DownSpan[] = []
  const open = new Map<string, { from: number; how: string }>()
  for (const e of events) {
    const node = String(e['name'])
    if (e.event === 'process.exit') open.set(node, { from: since(e.t), how: String(e['how']) })
    else if (e.event === 'process.pause') open.set(node, { from: since(e.t), how: 'paused' })
    else if (e.event === 'process.start' || e.event === 'process.resume') {
      const began = open.get(node)
      if (began) spans.push({ node, from: began.from, to: since(e.t), label: `${node}: ${began.how}` })
      open.delete(node)
    }
  }
  for (const [node, { from, how }] of open) spans.push({ node, from, to: durationMs, label: `${node}: ${how}` })
  return spans
}

export function partitionStates({ experiment, events }: Evidence, since: Since): PartitionStates[] {
  const all = new Map<string, PartitionStates & { readonly states: PartitionState[] }>(
    experiment.topics.flatMap(({ name, partitions, replicas }) =>
      Array.from({ length: partitions }, (_, p) => {
        const states: PartitionState[] = []
        return [`${name}-${p}`, { name: `${name}-${p}`, replicas, states }] as const
      }),
    ),
  )
  for (const e of events)
    if (e.event === 'partition.change' || e.event === 'leader.begin')
      all.get(`${e['topic']}-${e['partition']}`)?.states.push(stateOf(e, since))
  return [...all.values()].map(({ states, ...about }) => ({ ...about, states: changes(states) }))
}

function stateOf(e: ClusterEvent, since: Since): PartitionState {
  const leader = e.event === 'leader.begin' ? Number(e.node.split(':')[1]) : Number(e['leader'])
  const epoch = Number(e['leaderEpoch'] ?? e['epoch'])
  const isr = (e['isr'] ?? []) as number[]
  return { at: Math.max(0, since(e.t)), leader, epoch, isr, ...(e['unclean'] === true ? { unclean: true as const } : {}) }
}

/** A controller and a broker tell of the same election. */
function changes(states: readonly PartitionState[]): PartitionState[] {
  const same = (a: PartitionState, b: PartitionState) =>
    a.leader === b.leader && a.epoch === b.epoch && [...a.isr].sort().join() === [...b.isr].sort().join()
  return states.filter((s, i) => i === 0 || !same(s, states[i - 1]!))
}
