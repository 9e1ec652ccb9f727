// Positions that were committed in transactions which are still open: they count when the transaction commits, or never (KIP-98).
import type { CommittedOffset, CommittedOffsets } from './committed-offsets.ts'

export interface PendingPosition {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly committed: CommittedOffset
}

interface Pending extends PendingPosition {
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

  /** A tombstone outside of transactions is the end of what is open, too. */
  forget(group: string, topic: string, partition: number): void {
    for (const producerId of [...this.#open.keys()]) this.delete(producerId, group, topic, partition)
  }

  /** A position of this partition was written outside of a transaction. */
  supersede(group: string, topic: string, partition: number, before = this.#order): void {
    const key = keyOf(group, topic, partition)
    for (const open of this.#open.values()) {
      const pending = open.get(key)
      if (pending && pending.order < before) pending.superseded = true
    }
  }

  /** The transaction is over: into `offsets` with its positions, if it was committed. */
  end(producerId: number, committed: boolean, offsets: CommittedOffsets): void {
    const all = [...(this.#open.get(producerId)?.values() ?? [])]
    this.#open.delete(producerId)
    for (const { group, topic, partition, committed: position, order, superseded } of all) {
      if (!committed || superseded) continue
      offsets.set(group, topic, partition, position)
      this.supersede(group, topic, partition, order)
    }
  }

  has(group: string, topic: string, partition: number): boolean {
    const key = keyOf(group, topic, partition)
    for (const open of this.#open.values()) if (open.has(key)) return true
    return false
  }

  hasGroup(group: string): boolean {
    return !this.of(group).next().done
  }

  /** Where the group has positions in open transactions; more than once for several transactions. */
  *of(group: string): Generator<PendingPosition> {
    for (const position of this.all()) if (position.group === group) yield position
  }

  *all(): Generator<PendingPosition> {
    for (const open of this.#open.values()) yield* open.values()
  }
}

function keyOf(group: string, topic: string, partition: number): string {
  return `${topic}:${partition}:${group}`
}
