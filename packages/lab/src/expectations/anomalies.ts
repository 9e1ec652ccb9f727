// Expectations that a checker judges: no more than so many of one anomaly.
import { CHECKERS } from '../checkers/index.ts'
import type { Expectation } from './expectation.ts'

type Counted = 'lost' | 'duplicated' | 'reordered' | 'contradictory' | 'invented'

export const anomalies: readonly Expectation<Counted>[] = CHECKERS.map(({ anomaly, check }) => ({
  expectation: anomaly as Counted,
  judge(limit, { history }) {
    const { count, judged, examples } = check(history)
    const status = judged === 0 ? 'untested' : count > limit ? 'broken' : 'met'
    return { status, limit: `at most ${limit}`, found: judged === 0 ? 'nothing to judge' : `${count} of ${judged}`, examples }
  },
}))
