// A disk for the log that forgets what was not synced when its node crashes, and that can be slow, fail, or rot.
import type { Batch, Entry, HardState, RaftStorage, Snapshot, Survived } from '../../src/types.ts'
import { RaftStorageCorruption } from '../../src/types.ts'

/** What is on the platter. Outlives the storages that are opened on it. */
export class VirtualDisk {
  hardState: HardState = { term: 0, vote: -1, commit: 0 }
  snapshot: Snapshot | undefined
  entries: Entry[] = []
  readonly rotten = new Set<number | 'hardState' | 'snapshot'>()

  apply({ truncateFrom, snapshot, entries, hardState }: Batch): void {
    if (truncateFrom !== undefined) this.#keep((entry) => entry.index < truncateFrom)
    if (snapshot) {
      this.#keep((entry) => entry.index > snapshot.index)
      this.snapshot = snapshot
    }
    for (const entry of entries) this.rotten.delete(entry.index)
    this.entries.push(...entries)
    if (hardState) this.hardState = { ...hardState }
  }

  #keep(which: (entry: Entry) => boolean): void {
    this.entries = this.entries.filter(which)
  }

  read(): Survived {
    for (const part of ['hardState', 'snapshot'] as const)
      if (this.rotten.has(part)) throw new RaftStorageCorruption(`the ${part} is damaged`)
    const firstBad = this.entries.findIndex((entry) => this.rotten.has(entry.index))
    const entries = firstBad === -1 ? [...this.entries] : this.entries.slice(0, firstBad)
    const last = entries.at(-1)?.index ?? this.snapshot?.index ?? 0
    if (this.hardState.commit > last)
      throw new RaftStorageCorruption(`entry ${last + 1} is damaged, committed up to ${this.hardState.commit}`)
    this.entries = [...entries]
    return { hardState: { ...this.hardState }, snapshot: this.snapshot, entries }
  }
}

export interface DiskBehaviour {
  after(delayMs: number, run: () => void): void
  /** How long the next sync takes. */
  delayMs(): number
  /** Whether the next sync fails, and with it the disk. */
  fails?(): boolean
  /** Something reached the platter. */
  written?(before: HardState, truncatedFrom: number | undefined): void
}

export class DiskFailure extends Error {
  override readonly name = 'DiskFailure'
}

export class VirtualStorage implements RaftStorage {
  readonly #disk: VirtualDisk
  readonly #behaviour: DiskBehaviour
  readonly #queue: { readonly batch: Batch; readonly done: (error?: Error) => void }[] = []
  #writing = false
  #open = true

  constructor(disk: VirtualDisk, behaviour: DiskBehaviour) {
    this.#disk = disk
    this.#behaviour = behaviour
  }

  async load(): Promise<Survived> {
    return this.#disk.read()
  }

  persist(batch: Batch, done: (error?: Error) => void): void {
    this.#queue.push({ batch, done })
    if (!this.#writing) this.#write()
  }

  #write(): void {
    this.#writing = true
    const count = this.#queue.length
    this.#behaviour.after(this.#behaviour.delayMs(), () => {
      if (!this.#open) return
      const written = this.#queue.splice(0, count)
      const error = this.#behaviour.fails?.() ? new DiskFailure('the disk failed') : undefined
      if (!error) for (const { batch } of written) this.#apply(batch)
      this.#writing = false
      for (const { done } of written) done(error)
      if (!this.#writing && this.#queue.length > 0) this.#write()
    })
  }

  #apply(batch: Batch): void {
    const before = this.#disk.hardState
    this.#disk.apply(batch)
    this.#behaviour.written?.(before, batch.truncateFrom)
  }

  get pending(): number {
    return this.#queue.length
  }

  /** The node is gone: of what was being written, the first `kept` batches made it to the disk. */
  crash(kept: number): void {
    this.#open = false
    for (const { batch } of this.#queue.slice(0, kept)) this.#apply(batch)
  }

  async close(): Promise<void> {
    this.#open = false
  }
}
