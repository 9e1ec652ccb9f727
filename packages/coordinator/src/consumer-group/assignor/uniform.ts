// The assignor `uniform`: every member gets the same number of partitions, give or take one, and keeps what it had as far as that allows.
// Where members read different topics, the numbers are as even as moving single partitions can make them. Racks do not count.
import type { Partitions } from '../partitions.ts'
import type { Assignee } from './assignor.ts'

interface Load {
  readonly member: Assignee
  readonly target: Map<string, Set<number>>
  size: number
}

export function uniform(members: readonly Assignee[], partitionCount: (topicId: string) => number): Map<string, Partitions> {
  const loads = members.map((member): Load => ({ member, target: new Map(), size: 0 }))
  const readers = readersOf(loads)
  const free = keepWhatWas(loads, readers, partitionCount)
  if (readAlike(members)) fillToQuota(loads, free)
  else spread(readers, free)
  return new Map(loads.map(({ member, target }) => [member.id, target]))
}

type Free = Map<string, number[]>

function readersOf(loads: readonly Load[]): Map<string, Load[]> {
  const readers = new Map<string, Load[]>()
  for (const load of loads) {
    for (const topicId of load.member.topics) {
      const all = readers.get(topicId)
      if (all) all.push(load)
      else readers.set(topicId, [load])
    }
  }
  return readers
}

/** Who had a partition and still reads it keeps it for now; the others are free. */
function keepWhatWas(
  loads: readonly Load[],
  readers: ReadonlyMap<string, Load[]>,
  partitionCount: (topicId: string) => number,
): Free {
  const taken = new Map<string, Set<number>>([...readers.keys()].map((topicId) => [topicId, new Set()]))
  for (const load of loads) {
    for (const [topicId, partitions] of load.member.target) {
      if (!load.member.topics.has(topicId)) continue
      const count = partitionCount(topicId)
      for (const partition of partitions) {
        if (partition >= count || taken.get(topicId)!.has(partition)) continue
        taken.get(topicId)!.add(partition)
        give(load, topicId, partition)
      }
    }
  }
  const free: Free = new Map()
  for (const topicId of readers.keys()) {
    const all = Array.from({ length: partitionCount(topicId) }, (_, p) => p)
    free.set(
      topicId,
      all.filter((p) => !taken.get(topicId)!.has(p)),
    )
  }
  return free
}

function readAlike(members: readonly Assignee[]): boolean {
  const first = members[0]?.topics
  return members.every(({ topics }) => topics.size === first!.size && [...topics].every((topicId) => first!.has(topicId)))
}

/** All read the same. Those who have most already may keep the one more that not everybody can have. */
function fillToQuota(loads: readonly Load[], free: Free): void {
  const total = loads.reduce((sum, { size }) => sum + size, 0) + [...free.values()].reduce((sum, { length }) => sum + length, 0)
  const least = Math.floor(total / loads.length)
  let extra = total % loads.length
  const quotas = loads
    .toSorted((a, b) => b.size - a.size)
    .map((load) => ({ load, quota: extra > 0 ? (extra--, least + 1) : least }))
  const left = [...free].flatMap(([topicId, partitions]) => partitions.map((partition) => ({ topicId, partition })))
  for (const { load, quota } of quotas) while (load.size > quota) left.push(takeOne(load))
  let next = 0
  for (const { load, quota } of quotas) {
    for (; load.size < quota; next++) give(load, left[next]!.topicId, left[next]!.partition)
  }
}

function takeOne(load: Load): { topicId: string; partition: number } {
  const [topicId, partitions] = [...load.target].at(-1)!
  const partition = Math.max(...partitions)
  take(load, topicId, partition)
  return { topicId, partition }
}

/** Topics that few read come first: their readers have the least choice. Then single partitions move from who has most to who has least. */
function spread(readers: ReadonlyMap<string, Load[]>, free: Free): void {
  const topics = [...readers].sort(([, a], [, b]) => a.length - b.length)
  for (const [topicId, loads] of topics) for (const partition of free.get(topicId)!) give(least(loads), topicId, partition)
  for (let moved = true; moved;) {
    moved = false
    for (const [topicId, loads] of topics) while (moveOne(topicId, loads)) moved = true
  }
}

function least(loads: readonly Load[]): Load {
  return loads.reduce((a, b) => (b.size < a.size ? b : a))
}

/** False when no move within this topic makes the numbers more even. */
function moveOne(topicId: string, loads: readonly Load[]): boolean {
  let most: Load | undefined
  for (const load of loads) if (load.target.has(topicId) && load.size > (most?.size ?? 0)) most = load
  const to = least(loads)
  if (!most || most.size - to.size < 2) return false
  const partition = Math.max(...most.target.get(topicId)!)
  take(most, topicId, partition)
  give(to, topicId, partition)
  return true
}

function give(load: Load, topicId: string, partition: number): void {
  const partitions = load.target.get(topicId)
  if (partitions) partitions.add(partition)
  else load.target.set(topicId, new Set([partition]))
  load.size++
}

function take(load: Load, topicId: string, partition: number): void {
  const partitions = load.target.get(topicId)!
  partitions.delete(partition)
  if (partitions.size === 0) load.target.delete(topicId)
  load.size--
}
