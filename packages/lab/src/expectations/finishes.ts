// A program of the load comes to its own end, in time and with exit code 0: it judges itself.
import { type Expectation, seconds } from './expectation.ts'

export const finishes: Expectation<'finishes'> = {
  expectation: 'finishes',
  judge(limit, { copies, brokenAt }) {
    const wrong = copies.filter((c) => c.code !== 0)
    const early = copies.filter((c) => c.code === 0 && c.endedAt! < brokenAt)
    return {
      status: wrong.length > 0 ? 'broken' : copies.length === 0 || early.length > 0 ? 'untested' : 'met',
      limit: `every program ends well, ${seconds(limit)} after the load at the latest`,
      found:
        copies.length === 0
          ? 'no program'
          : early.length > 0
            ? `${early.map((c) => c.name).join(', ')} had ended before anything was broken`
            : `${copies.length - wrong.length} of ${copies.length}`,
      examples: wrong.map(
        ({ name, code, words }) => `${name} ${code === null ? 'was still running' : `ended with ${code}`}: ${words}`,
      ),
    }
  },
}
