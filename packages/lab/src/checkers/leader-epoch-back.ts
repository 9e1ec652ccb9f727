// Leader epoch back: a broker knew a partition in one leader epoch and later in a smaller one. One that starts again may begin with what it knew.
import { type Checker, Findings } from './checker.ts'

export const leaderEpochBack: Checker = {
  anomaly: 'leaderEpochBack',
  what: 'leader epochs that went back',
  check({ left: { views, events } }) {
    const findings = new Findings()
    const known = new Map<string, number>()
    let judged = 0
    const look = (at: number, node: string, topic: string, partition: number, epoch: number) => {
      judged++
      const key = `${node} ${topic}-${partition}`
      const before = known.get(key) ?? -1
      if (epoch < before)
        findings.add(`${topic}-${partition}: epoch ${epoch} on ${node} at ${at}, after ${before}`, undefined, {
          at,
          topic,
          partition,
        })
      known.set(key, epoch)
    }
    const starts = events.filter((e) => e.event === 'process.start').map((e) => ({ at: e.t, node: String(e['name']) }))
    let next = 0
    for (const { at, broker, topic, partition, leaderEpoch } of views) {
      for (; next < starts.length && starts[next]!.at <= at; next++)
        for (const key of known.keys()) if (key.startsWith(`${starts[next]!.node} `)) known.delete(key)
      look(at, broker, topic, partition, leaderEpoch)
    }
    known.clear()
    for (const e of events)
      if (e.event === 'leader.begin') look(e.t, e.node, String(e['topic']), Number(e['partition']), Number(e['epoch']))
    return findings.of(judged)
  },
}
