// Two owners: two consumers of a group held one partition at once. In one generation that is a mistake. A member that was removed from its group
// hears of it with its next request, and may hold on until then: its commits are refused.
import type { Hold } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'
import { groupBy } from './facts.ts'

export const twoOwners: Checker = {
  anomaly: 'twoOwners',
  what: 'partitions that two consumers of a group held at once',
  check({ history }) {
    const findings = new Findings()
    const holds = history.holds.filter((h) => h.group !== null)
    for (const [key, of] of groupBy(holds, (h) => `${h.group} on ${h.topic}-${h.partition}`)) {
      let last: Hold | undefined
      for (const hold of of.sort((a, b) => a.began - b.began)) {
        if (last && last.process !== hold.process && (last.ended ?? Infinity) > hold.began)
          findings.add(`${key}: ${last.process} and ${hold.process} from ${hold.began} on`, reasonFor(last, hold), {
            ...hold,
            at: hold.began,
          })
        if (!last || (last.ended ?? Infinity) <= (hold.ended ?? Infinity)) last = hold
      }
    }
    return findings.of(holds.length)
  },
}

function reasonFor(a: Hold, b: Hold): string | undefined {
  if (a.generation !== null && a.generation === b.generation) return undefined
  return 'not in one generation: who is removed from a group hears of it with its next request'
}
