// Pass, fail, or inconclusive: a pass is earned by a run that could have failed.
import { checkAll, type Finding } from '../checkers/index.ts'
import { type Evidence, type Judged, judgeAll, legalIn } from '../expectations/index.ts'

export type VerdictOutcome = 'pass' | 'fail' | 'inconclusive'

export interface Verdict {
  readonly outcome: VerdictOutcome
  /** Why it is no pass. */
  readonly reasons: readonly string[]
  readonly expectations: readonly Judged[]
  /** What the checkers found, expected or not. */
  readonly anomalies: Readonly<Record<string, number>>
  /** Those of which it is known when they were, for the report; some of each. */
  readonly findings: readonly (Finding & { readonly what: string })[]
  /** In words: what they found and nobody had expected anything about. */
  readonly unasked: readonly string[]
  /** The run's chance: workloads that draw do the same again with --seed. */
  readonly seed: number
  readonly acknowledged: number
  readonly indeterminate: number
  readonly failed: number
  readonly read: number
  readonly acknowledgedBefore: number
  readonly acknowledgedAfter: number
}

/** Fewer acknowledgements than this before the first step, or after the last heal, prove nothing. */
export const ENOUGH = 100

export function judge(evidence: Evidence): Verdict {
  const { history, brokenAt, healedAt, faults, died } = evidence
  const checked = checkAll(evidence)
  const expectations = judgeAll(evidence, checked)
  const asked = new Set(expectations.map((e) => e.expectation))
  const { acknowledged } = history
  const before = acknowledged.filter((s) => s.ended! < brokenAt).length
  const after = acknowledged.filter((s) => s.began >= healedAt).length
  const broken = expectations.filter((e) => e.status === 'broken').map((e) => `${e.expectation}: ${e.found}, expected ${e.limit}`)
  const doubts = [
    ...expectations.filter((e) => e.status === 'untested').map((e) => `${e.expectation} was not put to the test: ${e.found}`),
    ...faults.filter(neverHit).map((f) => `fault ${f.id} (${f.family} ${f.kind}) never hit`),
    ...(evidence.disarmed ? ['nothing was broken: the run was disarmed'] : []),
    ...died,
    ...(before < ENOUGH ? [`only ${before} acknowledgements before the first step, ${ENOUGH} are wanted`] : []),
    ...(after < ENOUGH ? [`only ${after} acknowledgements after the last heal, ${ENOUGH} are wanted`] : []),
  ]
  return {
    outcome: broken.length > 0 ? 'fail' : doubts.length > 0 ? 'inconclusive' : 'pass',
    reasons: broken.length > 0 ? broken : doubts,
    expectations,
    anomalies: Object.fromEntries([...checked].map(([anomaly, { count }]) => [anomaly, count])),
    findings: [
      ...[...checked].flatMap(([what, { findings }]) => findings.map((f) => ({ what, ...f }))),
      ...expectations.flatMap(({ expectation: what, finding }) => (finding ? [{ what, ...finding }] : [])),
    ],
    unasked: [...checked]
      .filter(([anomaly, { count }]) => count > 0 && !asked.has(anomaly))
      .map(([anomaly, { count, legal, reasons }]) => `${anomaly}: ${count}${legalIn(count, legal, reasons)}`),
    seed: evidence.seed,
    acknowledged: acknowledged.length,
    indeterminate: history.sends.filter((s) => s.outcome === 'info').length,
    failed: history.sends.filter((s) => s.outcome === 'fail').length,
    read: history.final.length,
    acknowledgedBefore: before,
    acknowledgedAfter: after,
  }
}

/** What a disarmed fault would have hit does not count. */
function neverHit({ hits, request }: Evidence['faults'][number]): boolean {
  return hits === 0 || request.observe
}
