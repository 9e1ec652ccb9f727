// Invented: read although nobody sent it, or although its send had definitely failed (Jepsen's G1a).
import { identityOf } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

export const invented: Checker = {
  anomaly: 'invented',
  what: 'records that were read although nobody sent them, or their send had failed for certain',
  check(history) {
    const outcomes = new Map(history.sends.map((s) => [`${s.topic} ${identityOf(s)}`, s.outcome]))
    const sentTo = new Set(history.sends.map((s) => s.topic))
    const findings = new Findings()
    // What programs write to topics of their own is theirs to explain.
    const reads = [...history.reads, ...history.final].filter((r) => sentTo.has(r.topic))
    for (const { topic, partition, offset, value } of reads) {
      const outcome = outcomes.get(`${topic} ${value}`)
      if (outcome === undefined) findings.add(`${topic}-${partition}@${offset}: ${value} was never sent`)
      else if (outcome === 'fail') findings.add(`${topic}-${partition}@${offset}: ${value} had failed`)
    }
    return findings.of(reads.length)
  },
}
