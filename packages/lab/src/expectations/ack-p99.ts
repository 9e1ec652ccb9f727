// Of all sends that were acknowledged from the first step on: 99 % of them in this time.
import { type Expectation, seconds } from './expectation.ts'

const ENOUGH = 100

export const ackP99: Expectation<'ackP99'> = {
  expectation: 'ackP99',
  judge(limit, { history, brokenAt }) {
    // Of a program's the time is known from a broker alone, and not what the client waited.
    const sends = history.acknowledged.filter((s) => s.ended! >= brokenAt && s.seen === undefined)
    const times = sends.map((s) => s.ended! - s.began).sort((a, b) => a - b)
    const p99 = times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? 0
    return {
      status: times.length < ENOUGH ? 'untested' : p99 > limit ? 'broken' : 'met',
      limit: `at most ${seconds(limit)}`,
      found: times.length < ENOUGH ? `only ${times.length} acknowledgements` : seconds(p99),
      examples: [],
    }
  },
}
