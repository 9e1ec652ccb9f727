// Vanished: a consumer has read it, and it is not there at the end. Also what nobody acknowledged may not be taken back once it was shown.
import { type Checker, Findings } from './checker.ts'
import type { Facts } from './facts.ts'

export const vanished: Checker = {
  anomaly: 'vanished',
  what: 'records that a consumer has read and that are not there at the end',
  check(facts) {
    const findings = new Findings()
    const told = new Set<string>()
    for (const read of facts.history.reads) {
      const { topic, partition, offset, value, process } = read
      const send = facts.sendOf(read)
      const key = `${topic} ${value}`
      if (!send || facts.isThere(send) || told.has(key)) continue
      told.add(key)
      const legal = facts.policy.lossOf(send) ?? (send.transaction === null ? undefined : unfiltered(facts, process))
      findings.add(`${topic}-${partition}@${offset}: ${value}, which ${process} has read`, legal)
    }
    return findings.of(facts.history.reads.length)
  },
}

function unfiltered({ policy }: Facts, process: string): string | undefined {
  return policy.uncommitted(process) ?? policy.unproved(process)
}
