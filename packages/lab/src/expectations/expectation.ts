// What an expectation is: a limit from the experiment, held against what the run has shown.
import type { Finding, Left } from '../checkers/index.ts'
import type { Expectations } from '../experiment/schema.ts'
import type { CopyEnd } from '../workloads/index.ts'

export type Status = 'met' | 'broken' | 'untested'

export interface Judged {
  readonly expectation: string
  readonly status: Status
  readonly limit: string
  readonly found: string
  readonly examples: readonly string[]
  /** What broke it, where there is a moment to name. */
  readonly finding?: Finding
}

/** Everything that a run leaves behind to be judged. Times are wall clock milliseconds. */
export interface Evidence extends Left {
  /** What chance was drawn from. */
  readonly seed: number
  readonly steps: readonly { readonly at: number; readonly what: string }[]
  /** Nothing was to be broken. */
  readonly disarmed: boolean
  /** Workloads that gave up, and why. */
  readonly died: readonly string[]
  /** When the first step was taken, when the last thing was healed, and when the workload ended. */
  readonly brokenAt: number
  readonly healedAt: number
  readonly endedAt: number
  /** When every partition had all its replicas in sync again after the last heal; undefined when that did not come. */
  readonly isrFullAt: number | undefined
  /** How programs of the load ended that were to end by themselves. */
  readonly copies: readonly CopyEnd[]
  /** Records that groups had not committed at the end; undefined without groups. */
  readonly lag: number | undefined
}

export interface Expectation<K extends keyof Expectations = keyof Expectations> {
  readonly expectation: K
  judge(limit: NonNullable<Expectations[K]>, evidence: Evidence): Omit<Judged, 'expectation'>
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
