// High watermark back: what a partition's leaders said of where it ends went back. Ordered by leader epoch and then by time: who is deposed and does
// not know it may still say what was; a new leader says nothing before it knows as much (KIP-207).
import { type Checker, Findings } from './checker.ts'
import { groupBy } from './facts.ts'

export const highWatermarkBack: Checker = {
  anomaly: 'highWatermarkBack',
  what: 'high watermarks that went back',
  check({ left, policy }) {
    const findings = new Findings()
    const said = left.views.filter((v) => v.highWatermark !== null)
    for (const [key, of] of groupBy(said, (v) => `${v.topic}-${v.partition}`)) {
      let largest = -1
      for (const view of of.sort(byEpoch)) {
        const { topic, partition, broker, leaderEpoch, highWatermark } = view
        if (highWatermark! < largest)
          findings.add(
            `${key}: ${highWatermark} from ${broker} in epoch ${leaderEpoch}, after ${largest}`,
            policy.loss(topic, partition),
            view,
          )
        largest = Math.max(largest, highWatermark!)
      }
    }
    return findings.of(said.length)
  },
}

function byEpoch(a: { leaderEpoch: number; at: number }, b: { leaderEpoch: number; at: number }): number {
  return a.leaderEpoch - b.leaderEpoch || a.at - b.at
}
