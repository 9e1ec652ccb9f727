// Nonmonotonic poll: a consumer that kept a partition read an offset that was not behind the one before. Who gets a partition anew, or seeks, may
// read again: that is another hold. A batch that a group's member had in hand when it got its partition once more belongs to the hold before.
import type { Hold } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'

interface Reader {
  last: number
  /** What comes until it goes back may be what the hold before had begun. */
  isLate: boolean
}

export const nonmonotonicPoll: Checker = {
  anomaly: 'nonmonotonicPoll',
  what: 'reads that went back although the consumer had kept its partition',
  check({ history, policy }) {
    const readers: (Reader | undefined)[] = history.holds.map(() => undefined)
    const ended = new Map<string, number>()
    const findings = new Findings()
    let judged = 0
    for (const read of history.reads) {
      const { hold, offset, process, topic, partition } = read
      if (hold === undefined) continue
      const key = keyOf(history.holds[hold]!)
      const reader = (readers[hold] ??= { last: -1, isLate: isNext(history.holds[hold]!, offset, ended.get(key)) })
      if (reader.last >= 0) judged++
      if (offset <= reader.last && !reader.isLate)
        findings.add(`${process} read ${topic}-${partition}@${offset} after @${reader.last}`, policy.loss(topic, partition), read)
      if (offset <= reader.last) reader.isLate = false
      reader.last = offset
      ended.set(key, offset)
    }
    return findings.of(judged)
  },
}

function keyOf({ process, topic, partition }: Hold): string {
  return `${process} ${topic}-${partition}`
}

function isNext({ group }: Hold, offset: number, before: number | undefined): boolean {
  return group !== null && before !== undefined && offset > before
}
