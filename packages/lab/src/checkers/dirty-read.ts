// Dirty read (Jepsen's precommitted-read): a record was read before its transaction asked to be committed, or by that transaction itself.
import { type Checker, Findings } from './checker.ts'

export const dirtyRead: Checker = {
  anomaly: 'dirtyRead',
  what: 'records that were read before their transaction was committed',
  check(facts) {
    const findings = new Findings()
    let judged = 0
    for (const read of facts.history.reads) {
      const transaction = facts.transactionOf(facts.sendOf(read))
      // What was never to be committed is an aborted read.
      if (!transaction || transaction.committing === null) continue
      judged++
      if (read.transaction !== transaction.id && read.at >= transaction.committing) continue
      const { topic, partition, offset, value, process } = read
      findings.add(
        `${topic}-${partition}@${offset}: ${value} of ${transaction.id}, read by ${process} before its commit`,
        facts.policy.uncommitted(process),
        read,
      )
    }
    return findings.of(judged)
  },
}
