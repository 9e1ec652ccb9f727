// The positions that groups of one shard have committed: by group, topic, partition.
import type { OffsetCommitValue } from '@faultline/protocol'

export type CommittedOffset = Readonly<OffsetCommitValue>
export type TopicOffsets = ReadonlyMap<number, CommittedOffset>

export class CommittedOffsets {
  readonly #groups = new Map<string, Map<string, Map<number, CommittedOffset>>>()

  get groups(): Iterable<string> {
    return this.#groups.keys()
  }

  has(group: string): boolean {
    return this.#groups.has(group)
  }

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  topicsOf(group: string): ReadonlyMap<string, TopicOffsets> {
    return this.#groups.get(group) ?? NONE
  }

  set(group: string, topic: string, partition: number, committed: CommittedOffset): void {
    let topics = this.#groups.get(group)
    if (!topics) this.#groups.set(group, (topics = new Map()))
    let partitions = topics.get(topic)
    if (!partitions) topics.set(topic, (partitions = new Map()))
    partitions.set(partition, committed)
  }

  delete(group: string, topic: string, partition: number): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    if (!topics || !partitions) return
    partitions.delete(partition)
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(group)
  }
}

const NONE: ReadonlyMap<string, TopicOffsets> = new Map()
