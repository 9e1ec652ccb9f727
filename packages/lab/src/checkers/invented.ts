// Invented: read although nobody sent it, or although its send had definitely failed. What a transaction aborted is an aborted read instead.
import { type Checker, Findings } from './checker.ts'

export const invented: Checker = {
  anomaly: 'invented',
  what: 'records that were read although nobody sent them, or their send had failed for certain',
  check(facts) {
    const { history } = facts
    const sentTo = new Set(history.sends.map((s) => s.topic))
    const seenIn = new Set(history.sends.flatMap((s) => (s.seen ? [s.topic] : [])))
    const findings = new Findings()
    let judged = 0
    for (const reads of [history.reads, history.final])
      for (const read of reads) {
        const { topic, partition, offset, value } = read
        // What programs write to topics of their own is theirs to explain.
        if (!sentTo.has(topic)) continue
        // What a program has written is known by its digest, which only the reading at the end has.
        if (read.digest === undefined && seenIn.has(topic)) continue
        judged++
        const outcome = facts.sendOf(read)?.outcome
        if (outcome === undefined) findings.add(`${topic}-${partition}@${offset}: ${value} was never sent`, undefined, read)
        else if (outcome === 'fail')
          findings.add(`${topic}-${partition}@${offset}: ${value} had failed`, undefined, facts.whenSent(read))
      }
    return findings.of(judged)
  },
}
