// What the report shows, made small: times in milliseconds since the load began.
import type { Evidence, Judged } from '../expectations/index.ts'
import type { Verdict } from '../run/verdict.ts'
import { controllersIn, errorsIn, findingsIn, type Happening, rebalancesIn } from './happenings.ts'
import { type Series, seriesOf } from './series.ts'
import { type DownSpan, downSpans, type FaultSpan, faultSpans, type PartitionStates, partitionStates } from './spans.ts'

export interface ReportData extends Series {
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
  readonly steps: readonly Happening[]
  readonly faults: readonly FaultSpan[]
  readonly down: readonly DownSpan[]
  readonly partitions: readonly PartitionStates[]
  readonly controllers: readonly Happening[]
  readonly rebalances: readonly Happening[]
  readonly errors: readonly Happening[]
  readonly findings: readonly (Happening & { readonly what: string })[]
}

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
    steps: evidence.steps.map(({ at, what }) => ({ at: since(at), label: what, count: 1 })),
    faults: faultSpans(evidence, since),
    down: downSpans(inRun, since, durationMs),
    partitions: partitionStates(evidence, since),
    controllers: controllersIn(inRun, since),
    rebalances: rebalancesIn(inRun, since),
    errors: errorsIn(inRun, since),
    findings: findingsIn(verdict, since),
    ...seriesOf(evidence, startedAt, durationMs),
  }
}
