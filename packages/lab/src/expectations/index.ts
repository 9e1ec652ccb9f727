// Every expectation, in one file each; and how a run is held against those of its experiment.
import type { Checked } from '../checkers/index.ts'
import type { Expectations } from '../experiment/schema.ts'
import { ackP99 } from './ack-p99.ts'
import { judgeAnomaly } from './anomalies.ts'
import { atLeastOnce, exactlyOnce } from './exactly-once.ts'
import type { Evidence, Expectation, Judged } from './expectation.ts'
import { finishes } from './finishes.ts'
import { isrFull } from './isr-full.ts'
import { lag } from './lag.ts'
import { progress } from './progress.ts'
import { readAgain } from './read-again.ts'
import { rebalances } from './rebalances.ts'
import { unavailability } from './unavailability.ts'

/** Those that are no count of anomalies. */
export const EXPECTATIONS = [
  ...[unavailability, isrFull, ackP99, lag, progress, readAgain, rebalances, exactlyOnce, atLeastOnce, finishes],
] as readonly Expectation[]

/** `checked`: what the checkers found, by anomaly. */
export function judgeAll(evidence: Evidence, checked: ReadonlyMap<string, Checked>): Judged[] {
  const { expect } = evidence.experiment
  const anomalies = [...checked].flatMap(([anomaly, found]) => {
    const limit = expect[anomaly as keyof Expectations] as number | undefined
    return limit === undefined ? [] : [judgeAnomaly(anomaly, limit, found)]
  })
  const others = EXPECTATIONS.flatMap((e) => {
    const limit = expect[e.expectation as keyof Expectations]
    return limit === undefined ? [] : [{ expectation: e.expectation, ...e.judge(limit, evidence) }]
  })
  return [...anomalies, ...others]
}

export { legalIn } from './anomalies.ts'
export { type Evidence, type Judged, seconds } from './expectation.ts'
