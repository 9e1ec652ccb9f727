// Nonmonotonic poll: a consumer that kept a partition read an offset that was not behind the one before. Who gets a partition anew, or seeks, may
// read again: that is another hold.
import { type Checker, Findings } from './checker.ts'

export const nonmonotonicPoll: Checker = {
  anomaly: 'nonmonotonicPoll',
  what: 'reads that went back although the consumer had kept its partition',
  check({ history, policy }) {
    const last: number[] = history.holds.map(() => -1)
    const findings = new Findings()
    let judged = 0
    for (const { hold, offset, process, topic, partition } of history.reads) {
      if (hold === undefined) continue
      const before = last[hold]!
      if (before >= 0) judged++
      if (offset <= before)
        findings.add(`${process} read ${topic}-${partition}@${offset} after @${before}`, policy.loss(topic, partition))
      last[hold] = offset
    }
    return findings.of(judged)
  },
}
