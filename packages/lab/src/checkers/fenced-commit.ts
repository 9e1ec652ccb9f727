// Fenced commit: a coordinator acknowledged positions of a generation that was over before they were sent.
import { type Checker, Findings } from './checker.ts'
import { groupBy } from './facts.ts'

export const fencedCommit: Checker = {
  anomaly: 'fencedCommit',
  what: 'commits that were acknowledged to members of a generation that was over',
  check({ history, policy }) {
    const findings = new Findings()
    let judged = 0
    const joined = groupBy(
      history.holds.filter((h) => h.group !== null && h.generation !== null),
      (h) => h.group!,
    )
    for (const [group, commits] of groupBy(history.commits, (c) => c.group)) {
      const joins = (joined.get(group) ?? []).sort((a, b) => a.began - b.began)
      let [next, newest] = [0, -1]
      for (const { process, generation, began, positions } of commits.sort((a, b) => a.began - b.began)) {
        for (; next < joins.length && joins[next]!.began < began; next++) newest = Math.max(newest, joins[next]!.generation!)
        if (generation === null || newest < 0) continue
        judged++
        if (generation < newest)
          findings.add(
            `${group}: ${process} committed at ${began} in ${generation}, after ${newest} had begun`,
            policy.forgotten(),
            { ...positions[0], at: began },
          )
      }
    }
    return findings.of(judged)
  },
}
