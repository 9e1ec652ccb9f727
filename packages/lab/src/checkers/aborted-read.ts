// Aborted read (Jepsen's G1a): a record of a transaction that was aborted, or that nobody ever asked to commit, was read.
import { type Checker, Findings } from './checker.ts'

export const abortedRead: Checker = {
  anomaly: 'abortedRead',
  what: 'records that were read although their transaction was aborted',
  check(facts) {
    const findings = new Findings()
    let judged = 0
    for (const reads of [facts.history.reads, facts.history.final])
      for (const read of reads) {
        const transaction = facts.transactionOf(facts.sendOf(read))
        if (!transaction) continue
        judged++
        const { topic, partition, offset, value, process } = read
        if (transaction.outcome === 'fail')
          findings.add(
            `${topic}-${partition}@${offset}: ${value} of ${transaction.id}, which was aborted, read by ${process}`,
            facts.policy.uncommitted(process) ??
              facts.policy.unproved(process) ??
              facts.policy.loss(topic, partition) ??
              facts.policy.forgotten(),
            read,
          )
      }
    return findings.of(judged)
  },
}
