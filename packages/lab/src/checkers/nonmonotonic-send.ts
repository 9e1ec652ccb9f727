// Nonmonotonic send: of two sends of one process to one partition the later one was acknowledged at the smaller offset.
import { identityOf } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

export const nonmonotonicSend: Checker = {
  anomaly: 'nonmonotonicSend',
  what: 'sends that were acknowledged at a smaller offset than an earlier one of the same process',
  check({ history, policy }) {
    const last = new Map<string, number>()
    const findings = new Findings()
    let judged = 0
    for (const send of history.sends) {
      const { process, topic, partition, offset } = send
      if (offset === null) continue
      judged++
      const key = `${process} ${topic}-${partition}`
      const before = last.get(key) ?? -1
      if (offset <= before)
        findings.add(
          `${topic}-${partition}: ${identityOf(send)} at ${offset}, after one at ${before}`,
          policy.lossOf(send) ?? policy.repeats(process) ?? policy.repeatsOf(send),
          { ...send, at: send.ended },
        )
      last.set(key, offset)
    }
    return findings.of(judged)
  },
}
