// Positions that were committed in transactions which are still open: they count when the transaction commits, or never (KIP-98).
import type { CommittedOffset, CommittedOffsets } from './committed-offsets.ts'

interface Pending {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly committed: CommittedOffset
  /** Whichever of two positions of a partition was written later is the one that counts, whenever its transaction ends. */
  readonly order: number
  /** A later one counts already. */
  superseded: boolean
}

export class TransactionalOffsets {
  /** By producer id, then by group, topic and partition. */
  readonly #open = new Map<number, Map<string, Pending>>()
  #order = 0

  add(producerId: number, group: string, topic: string, partition: number, committed: CommittedOffset): void {
    let pending = this.#open.get(producerId)
    if (!pending) this.#open.set(producerId, (pending = new Map()))
    pending.set(keyOf(group, topic, partition), { group, topic, partition, committed, order: this.#order++, superseded: false })
  }

  /** A tombstone in the transaction takes back what was written before it. */
  delete(producerId: number, group: string, topic: string, partition: number): void {
    const pending = this.#open.get(producerId)
    if (pending?.delete(keyOf(group, topic, partition)) && pending.size === 0) this.#open.delete(producerId)
  }

  /** A position of this partition was written outside of a transaction. */
  supersede(group: string, topic: string, partition: number, before = this.#order): void {
    const key = keyOf(group, topic, partition)
    for (const open of this.#open.values()) {
      const pending = open.get(key)
      if (pending && pending.order < before) pending.superseded = true
    }
  }

  /** The transaction is over: into `offsets` with its positions, if it was committed. Returns the groups concerned. */
  end(producerId: number, committed: boolean, offsets: CommittedOffsets): Set<string> {
    const all = [...(this.#open.get(producerId)?.values() ?? [])]
    this.#open.delete(producerId)
    for (const { group, topic, partition, committed: position, order, superseded } of all) {
      if (!committed || superseded) continue
      offsets.set(group, topic, partition, position)
      this.supersede(group, topic, partition, order)
    }
    return new Set(all.map((p) => p.group))
  }

  has(group: string, topic: string, partition: number): boolean {
    const key = keyOf(group, topic, partition)
    for (const open of this.#open.values()) if (open.has(key)) return true
    return false
  }

  hasGroup(group: string): boolean {
    return !this.of(group).next().done
  }

  /** Where the group has positions in open transactions, as [topic, partition]; more than once for several transactions. */
  *of(group: string): Generator<readonly [string, number]> {
    for (const open of this.#open.values()) for (const p of open.values()) if (p.group === group) yield [p.topic, p.partition]
  }
}

function keyOf(group: string, topic: string, partition: number): string {
  return `${topic}:${partition}:${group}`
}
