// Every expectation, in one file each; and how a run is held against those of its experiment.
import type { Expectations } from '../experiment/schema.ts'
import { ackP99 } from './ack-p99.ts'
import { anomalies } from './anomalies.ts'
import { exactlyOnce } from './exactly-once.ts'
import type { Evidence, Expectation, Judged } from './expectation.ts'
import { isrFull } from './isr-full.ts'
import { lag } from './lag.ts'
import { progress } from './progress.ts'
import { unavailability } from './unavailability.ts'

const ALL = [...anomalies, unavailability, isrFull, ackP99, lag, progress, exactlyOnce] as readonly Expectation[]

export function judgeAll(evidence: Evidence): Judged[] {
  const { expect } = evidence.experiment
  return ALL.flatMap((e) => {
    const limit = expect[e.expectation as keyof Expectations]
    return limit === undefined ? [] : [{ expectation: e.expectation, ...e.judge(limit, evidence) }]
  })
}

export { type Evidence, type Judged, seconds } from './expectation.ts'
