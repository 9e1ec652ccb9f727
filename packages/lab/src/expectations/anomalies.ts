// Expectations that a checker judges: no more than so many of one anomaly. What Kafka allows here counts as well, and is called legal.
import type { Checked } from '../checkers/index.ts'
import type { Judged } from './expectation.ts'

export function judgeAnomaly(expectation: string, limit: number, { count, judged, legal, reasons, examples }: Checked): Judged {
  const status = judged === 0 ? 'untested' : count > limit ? 'broken' : 'met'
  const found = judged === 0 ? 'nothing to judge' : `${count} of ${judged}${legalIn(count, legal, reasons)}`
  return { expectation, status, limit: `at most ${limit}`, found, examples }
}

export function legalIn(count: number, legal: number, reasons: readonly string[]): string {
  if (legal === 0) return ''
  return ` (${legal === count ? '' : `${legal} `}legal here: ${reasons.join('; ')})`
}
