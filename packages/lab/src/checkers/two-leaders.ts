// Two leaders: two brokers led a partition in one leader epoch, or two controllers were active in one term.
import type { ClusterEvent } from '@faultline/director'
import { type Checker, Findings, type Where } from './checker.ts'
import type { Facts } from './facts.ts'

export const twoLeaders: Checker = {
  anomaly: 'twoLeaders',
  what: 'leader epochs, or terms of controllers, with two leaders',
  check(facts) {
    const findings = new Findings()
    const leaders = new Map<string, string>()
    let judged = 0
    for (const [what, node, where] of claims(facts)) {
      judged++
      const other = leaders.get(what)
      if (other === undefined) leaders.set(what, node)
      else if (other !== node) findings.add(`${what}: ${other} and ${node}`, undefined, where)
    }
    return findings.of(judged)
  },
}

function* claims({ left: { events, views } }: Facts): Generator<readonly [string, string, Where]> {
  for (const e of events)
    if (e.event === 'leader.begin') yield [`${e['topic']}-${e['partition']} in epoch ${e['epoch']}`, e.node, whereOf(e)]
    else if (e.event === 'controller.active') yield [`controllers in term ${e['term']}`, e.node, { at: e.t }]
  for (const view of views)
    if (view.leader === view.broker) yield [`${view.topic}-${view.partition} in epoch ${view.leaderEpoch}`, view.broker, view]
}

function whereOf(e: ClusterEvent): Where {
  return { at: e.t, topic: String(e['topic']), partition: Number(e['partition']) }
}
