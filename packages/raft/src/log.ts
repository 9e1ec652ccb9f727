// The log in memory: a snapshot, the entries after it, and which of them have yet to be handed to the disk.
import { assert } from '@faultline/base'
import type { Batch, Entry, Snapshot } from './types.ts'

export class RaftLog {
  #snapshot: Snapshot | undefined
  #entries: Entry[]
  /** What the disk has not been told yet. */
  #unsavedFrom: number
  #truncatedFrom: number | undefined
  #unsavedSnapshot: Snapshot | undefined

  constructor(snapshot: Snapshot | undefined, entries: readonly Entry[]) {
    this.#snapshot = snapshot
    this.#entries = [...entries]
    this.#entries.forEach((entry, i) => assert(entry.index === this.firstIndex + i, `log has a gap before ${entry.index}`))
    this.#unsavedFrom = this.lastIndex + 1
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }
  get firstIndex(): number {
    return (this.#snapshot?.index ?? 0) + 1
  }
  get lastIndex(): number {
    return this.firstIndex + this.#entries.length - 1
  }
  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#snapshot?.term ?? 0
  }

  /** Undefined where the log does not reach: compacted away, or after the end. Index 0, before everything, has term 0. */
  termAt(index: number): number | undefined {
    if (index === this.firstIndex - 1) return this.#snapshot?.term ?? 0
    return this.#entries[index - this.firstIndex]?.term
  }

  slice(from: number, to: number): Entry[] {
    return this.#entries.slice(from - this.firstIndex, to + 1 - this.firstIndex)
  }

  /** Entries from an index on that fit a message: one at least, if there is any. */
  page(from: number, maxBytes: number): Entry[] {
    const start = from - this.firstIndex
    let end = start
    for (let bytes = 0; end < this.#entries.length; end++) {
      bytes += this.#entries[end]!.data.length + 16
      if (bytes > maxBytes && end > start) break
    }
    return this.#entries.slice(start, end)
  }

  /** The last index up to `from` whose term is not after `term`: where logs that disagree may agree. */
  lastNotAfterTerm(from: number, term: number): number {
    let index = Math.min(from, this.lastIndex)
    while (index >= this.firstIndex && this.termAt(index)! > term) index--
    return index
  }

  append(entries: readonly Entry[]): void {
    assert(entries[0]!.index === this.lastIndex + 1, `append at ${entries[0]!.index} after ${this.lastIndex}`)
    for (const entry of entries) this.#entries.push(entry)
  }

  truncateFrom(index: number): void {
    assert(index >= this.firstIndex, `truncation from ${index} of a log that begins at ${this.firstIndex}`)
    this.#entries.length = index - this.firstIndex
    if (index < this.#unsavedFrom) {
      this.#unsavedFrom = index
      this.#truncatedFrom = Math.min(index, this.#truncatedFrom ?? index)
    }
  }

  /** Replaces the log up to an index that is in it by the state it leads to. */
  compact(index: number, data: Uint8Array): void {
    const term = this.termAt(index)
    assert(term !== undefined, `compaction up to ${index}, log ends at ${this.lastIndex}`)
    this.#entries = this.#entries.slice(index + 1 - this.firstIndex)
    this.#snapshot = { index, term, data }
    this.#unsavedFrom = Math.max(this.#unsavedFrom, index + 1)
    this.#unsavedSnapshot = this.#snapshot
  }

  /** Replaces everything by a leader's snapshot. */
  restore(snapshot: Snapshot): void {
    this.#entries = []
    this.#truncatedFrom = 1
    this.#snapshot = this.#unsavedSnapshot = snapshot
    this.#unsavedFrom = snapshot.index + 1
  }

  /** What the disk is to be told now; undefined when it has been told everything. */
  takeUnsaved(): Batch | undefined {
    const entries = this.slice(this.#unsavedFrom, this.lastIndex)
    if (entries.length === 0 && this.#truncatedFrom === undefined && this.#unsavedSnapshot === undefined) return undefined
    const batch: Batch = { entries }
    if (this.#truncatedFrom !== undefined) batch.truncateFrom = this.#truncatedFrom
    if (this.#unsavedSnapshot !== undefined) batch.snapshot = this.#unsavedSnapshot
    this.#unsavedFrom = this.lastIndex + 1
    this.#truncatedFrom = this.#unsavedSnapshot = undefined
    return batch
  }
}
