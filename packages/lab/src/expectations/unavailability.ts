// The longest time in which a partition that was written to acknowledged nothing.
import { type Expectation, seconds } from './expectation.ts'

export const unavailability: Expectation<'unavailability'> = {
  expectation: 'unavailability',
  judge(limit, { history, brokenAt, endedAt }) {
    const times = new Map<string, number[]>()
    // A program writes when it likes, and so does who writes in transactions: when there is something to write.
    const steady = history.acknowledged.filter((s) => s.transaction === null && s.seen === undefined)
    for (const { topic, partition, ended } of steady) {
      const key = `${topic}-${partition}`
      if (!times.has(key)) times.set(key, [])
      times.get(key)!.push(ended!)
    }
    let longest = { ms: 0, partition: '', from: 0 }
    for (const [partition, acks] of times) {
      const marks = [...acks.sort((a, b) => a - b).filter((t) => t <= endedAt), endedAt]
      for (let i = 1; i < marks.length; i++) {
        const ms = marks[i]! - marks[i - 1]!
        // A gap from before anything was broken is not what was asked about.
        if (marks[i]! > brokenAt && ms > longest.ms) longest = { ms, partition, from: marks[i - 1]! }
      }
    }
    const tested = times.size > 0 && endedAt > brokenAt
    const words = `${longest.partition} acknowledged nothing for ${seconds(longest.ms)}`
    const { from: at, partition } = longest
    return {
      status: !tested ? 'untested' : longest.ms > limit ? 'broken' : 'met',
      limit: `at most ${seconds(limit)}`,
      found: tested ? `${seconds(longest.ms)} (${longest.partition})` : 'nothing was acknowledged',
      ...(longest.ms > limit ? { examples: [`${words} from ${at}`], finding: { words, at, partition } } : { examples: [] }),
    }
  },
}
