// What groups had not committed at the end.
import type { Expectation } from './expectation.ts'

export const lag: Expectation<'lag'> = {
  expectation: 'lag',
  judge(limit, { lag: found }) {
    const status = found === undefined ? 'untested' : found > limit ? 'broken' : 'met'
    return { status, limit: `at most ${limit}`, found: found === undefined ? 'no group' : String(found), examples: [] }
  },
}
