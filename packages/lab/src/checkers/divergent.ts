// Divergent: replicas whose logs differ below their high watermarks. Batches go from leader to follower as they are, so they are compared by their
// place and their checksum.
import type { ReplicaLog } from '../run/replica-logs.ts'
import { type Checker, Findings } from './checker.ts'
import { groupBy } from './facts.ts'

export const divergent: Checker = {
  anomaly: 'divergent',
  what: 'replicas whose logs differ',
  check({ left, policy }) {
    const findings = new Findings()
    let judged = 0
    for (const [key, logs] of groupBy(left.replicas, (r) => `${r.topic}-${r.partition}`)) {
      if (logs.length > 1) judged += logs.reduce((sum, l) => sum + l.batches.length, 0)
      const [first, ...others] = logs
      for (const other of others) {
        const at = whereTheyDiffer(first!, other)
        if (at === undefined) continue
        findings.add(`${key}@${at}: ${first!.broker} and ${other.broker} differ`, policy.loss(first!.topic, first!.partition))
      }
    }
    return findings.of(judged)
  },
}

/** The first offset; only where both have something to say: one may have deleted more, or know of less that is committed. */
function whereTheyDiffer(a: ReplicaLog, b: ReplicaLog): number | undefined {
  const start = Math.max(a.from, b.from)
  const end = Math.min(a.to, b.to)
  const within = ({ batches }: ReplicaLog) => batches.filter((x) => x.baseOffset >= start && x.lastOffset < end)
  const [left, right] = [within(a), within(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i], right[i]]
    if (!x || !y) return (x ?? y)!.baseOffset
    const isSame =
      x.baseOffset === y.baseOffset && x.lastOffset === y.lastOffset && x.crc === y.crc && x.leaderEpoch === y.leaderEpoch
    if (!isSame) return Math.min(x.baseOffset, y.baseOffset)
  }
  return undefined
}
