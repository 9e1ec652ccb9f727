// How often groups were rebalanced from the first step until the load ended: while they are, nobody reads (or not everything, with KIP-848).
import type { ClusterEvent } from '@faultline/director'
import type { Expectation } from './expectation.ts'

export const rebalances: Expectation<'rebalances'> = {
  expectation: 'rebalances',
  judge(limit, { events, groups, brokenAt, endedAt }) {
    const counted = new Set<string>()
    const all = events.filter((e) => e.t >= brokenAt && e.t <= endedAt && isFirst(e, counted))
    const some = groups.length > 0
    return {
      status: !some ? 'untested' : all.length > limit ? 'broken' : 'met',
      limit: `at most ${limit}`,
      found: some ? String(all.length) : 'no group',
      examples: all.length > limit ? all.slice(0, 5).map((e) => `${e['group']} at ${e.t}: ${e['reason']}`) : [],
    }
  },
}

/** A classic group is called together; a group of KIP-848 has a new epoch, of which it may be told in more than one state. */
function isFirst(e: ClusterEvent, counted: Set<string>): boolean {
  if (e.event !== 'group.state') return false
  if (e['state'] === 'PreparingRebalance') return true
  if (e['state'] !== 'Assigning' && e['state'] !== 'Reconciling') return false
  const key = `${e['group']} ${e['generation']}`
  if (counted.has(key)) return false
  counted.add(key)
  return true
}
