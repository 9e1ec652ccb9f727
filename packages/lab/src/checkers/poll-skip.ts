// Poll skip: a consumer that kept a partition read past records that are there. Offsets without a record (markers, aborted ones) are no gap.
import type { Read } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

export const pollSkip: Checker = {
  anomaly: 'pollSkip',
  what: 'records that a consumer passed by although it had kept its partition',
  check(facts) {
    const { history, policy, finalOf } = facts
    const next: (number | null)[] = history.holds.map((h) => h.from)
    const findings = new Findings()
    let judged = 0
    for (const read of history.reads) {
      const { hold, offset, process, topic, partition } = read
      if (hold === undefined) continue
      const from = next[hold]!
      if (from !== null && offset > from) {
        const missed = firstFrom(finalOf.get(`${topic}-${partition}`) ?? [], from)
        if (missed !== undefined && missed.offset < offset) {
          const isIn = facts.sendOf(missed)?.transaction ?? null
          const legal = policy.loss(topic, partition) ?? (isIn === null ? undefined : policy.unproved(process))
          findings.add(`${process} read ${topic}-${partition}@${offset} and not @${missed.offset}`, legal, read)
        }
      }
      if (from !== null) judged++
      next[hold] = offset + 1
    }
    return findings.of(judged)
  },
}

/** The first record at or after the offset `from`. */
function firstFrom(reads: readonly Read[], from: number): Read | undefined {
  let [low, high] = [0, reads.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (reads[middle]!.offset < from) low = middle + 1
    else high = middle
  }
  return reads[low]
}
