// The assignor `range`: each topic is cut into as many ranges as it has readers, in one order of members for all topics. Members who read
// the same topics so get the same partitions of each, and can join them.
import type { Partitions } from '../partitions.ts'
import type { Assignee } from './assignor.ts'

interface Cut {
  readonly count: number
  readers: number
  next: number
  /** Readers who are still to get one more than the others. */
  extra: number
}

export function range(members: readonly Assignee[], partitionCount: (topicId: string) => number): Map<string, Partitions> {
  const cuts = new Map<string, Cut>()
  for (const { topics } of members) {
    for (const topicId of topics) {
      const cut = cuts.get(topicId)
      if (cut) cut.readers++
      else cuts.set(topicId, { count: partitionCount(topicId), readers: 1, next: 0, extra: 0 })
    }
  }
  for (const cut of cuts.values()) cut.extra = cut.count % cut.readers
  const assigned = new Map<string, Partitions>()
  for (const { id, topics } of members.toSorted(byInstance)) {
    const target = new Map<string, Set<number>>()
    for (const topicId of topics) {
      const partitions = take(cuts.get(topicId)!)
      if (partitions.size > 0) target.set(topicId, partitions)
    }
    assigned.set(id, target)
  }
  return assigned
}

function take(cut: Cut): Set<number> {
  const size = Math.floor(cut.count / cut.readers) + (cut.extra > 0 ? 1 : 0)
  if (cut.extra > 0) cut.extra--
  const partitions = new Set<number>()
  for (let i = 0; i < size; i++) partitions.add(cut.next++)
  return partitions
}

/** Static members first, so that restarts change nothing for anybody. */
function byInstance(a: Assignee, b: Assignee): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  return b.instanceId !== null ? 1 : compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
