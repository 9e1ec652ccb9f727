// Vanished: a consumer has read it, and it is not there at the end. Also what nobody acknowledged may not be taken back once it was shown.
import type { Send } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'
import type { Facts } from './facts.ts'

export const vanished: Checker = {
  anomaly: 'vanished',
  what: 'records that a consumer has read and that are not there at the end',
  check(facts) {
    const findings = new Findings()
    const told = new Set<Send>()
    for (const read of facts.history.reads) {
      const { topic, partition, offset, value, process } = read
      const send = facts.sendOf(read)
      if (!send || facts.isThere(send) || told.has(send)) continue
      told.add(send)
      const legal = facts.policy.lossOf(send) ?? (send.transaction === null ? undefined : unfiltered(facts, process))
      findings.add(`${topic}-${partition}@${offset}: ${value}, which ${process} has read`, legal, read)
    }
    return findings.of(facts.history.reads.length)
  },
}

function unfiltered({ policy }: Facts, process: string): string | undefined {
  return policy.uncommitted(process) ?? policy.unproved(process)
}
