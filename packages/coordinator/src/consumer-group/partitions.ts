// Sets of partitions by topic id: what a member is to have, and what it has.

/** By topic id. */
export type Partitions = ReadonlyMap<string, ReadonlySet<number>>
/** By topic id: each partition with the epoch in which its member was given it (KIP-1251). */
export type Owned = ReadonlyMap<string, ReadonlyMap<number, number>>

/** What both have in common: sets and maps know their keys. */
interface Numbers {
  readonly size: number
  has(partition: number): boolean
  keys(): Iterable<number>
}
type AnyPartitions = ReadonlyMap<string, Numbers>

interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const NO_PARTITIONS: Partitions = new Map()
export const NOTHING_OWNED: Owned = new Map()

export function contains(set: AnyPartitions, topicId: string, partition: number): boolean {
  return set.get(topicId)?.has(partition) ?? false
}

export function isSubset(of: readonly TopicPartitions[], set: AnyPartitions): boolean {
  return of.every(({ topicId, partitions }) => partitions.every((p) => contains(set, topicId, p)))
}

/** Does any of `some` belong to `set`? */
export function overlap(some: readonly TopicPartitions[], set: AnyPartitions): boolean {
  return some.some(({ topicId, partitions }) => partitions.some((p) => contains(set, topicId, p)))
}

export function samePartitions(a: AnyPartitions, b: AnyPartitions): boolean {
  if (a.size !== b.size) return false
  for (const [topicId, numbers] of a) {
    const others = b.get(topicId)
    if (!others || others.size !== numbers.size) return false
    for (const partition of numbers.keys()) if (!others.has(partition)) return false
  }
  return true
}

export function sameOwned(a: Owned, b: Owned): boolean {
  if (!samePartitions(a, b)) return false
  for (const [topicId, epochs] of a) for (const [p, epoch] of epochs) if (b.get(topicId)!.get(p) !== epoch) return false
  return true
}

export function partitionsFrom(list: readonly TopicPartitions[]): Partitions {
  return new Map(list.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
}

/** In ascending order. */
export function partitionList(set: AnyPartitions): { topicId: string; partitions: number[] }[] {
  return [...set].map(([topicId, numbers]) => ({ topicId, partitions: [...numbers.keys()].sort((a, b) => a - b) }))
}

/** Records before Kafka 4.3 have no epochs: -1 stands for them. */
export function ownedFrom(list: readonly (TopicPartitions & { readonly assignmentEpochs: readonly number[] | null })[]): Owned {
  return new Map(
    list.map(({ topicId, partitions, assignmentEpochs }) => [
      topicId,
      new Map(partitions.map((p, i) => [p, assignmentEpochs?.[i] ?? -1])),
    ]),
  )
}

export function ownedList(set: Owned): { topicId: string; partitions: number[]; assignmentEpochs: number[] }[] {
  return partitionList(set).map(({ topicId, partitions }) => ({
    topicId,
    partitions,
    assignmentEpochs: partitions.map((p) => set.get(topicId)!.get(p)!),
  }))
}

export function union(a: Owned, b: Owned): Owned {
  const all = new Map(a)
  for (const [topicId, partitions] of b) all.set(topicId, new Map([...(a.get(topicId) ?? []), ...partitions]))
  return all
}

/** All of them, as given in `epoch`. */
export function ownedIn(epoch: number, set: AnyPartitions): Owned {
  return new Map([...set].map(([topicId, numbers]) => [topicId, new Map([...numbers.keys()].map((p) => [p, epoch]))]))
}
