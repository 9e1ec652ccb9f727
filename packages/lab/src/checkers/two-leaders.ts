// Two leaders: two brokers led a partition in one leader epoch, or two controllers were active in one term.
import { type Checker, Findings } from './checker.ts'
import type { Facts } from './facts.ts'

export const twoLeaders: Checker = {
  anomaly: 'twoLeaders',
  what: 'leader epochs, or terms of controllers, with two leaders',
  check(facts) {
    const findings = new Findings()
    const leaders = new Map<string, string>()
    let judged = 0
    for (const [what, node] of claims(facts)) {
      judged++
      const other = leaders.get(what)
      if (other === undefined) leaders.set(what, node)
      else if (other !== node) findings.add(`${what}: ${other} and ${node}`)
    }
    return findings.of(judged)
  },
}

function* claims({ left: { events, views } }: Facts): Generator<readonly [string, string]> {
  for (const e of events)
    if (e.event === 'leader.begin') yield [`${e['topic']}-${e['partition']} in epoch ${e['epoch']}`, e.node]
    else if (e.event === 'controller.active') yield [`controllers in term ${e['term']}`, e.node]
  for (const { broker, leader, topic, partition, leaderEpoch } of views)
    if (leader === broker) yield [`${topic}-${partition} in epoch ${leaderEpoch}`, broker]
}
