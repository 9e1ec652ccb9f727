// The metadata quorum's storage in the simulator: a sync takes its time, and what was not synced when the node crashed is gone.
import type { Clock, Prng } from '@faultline/base'
import type { Batch, Entry, HardState, RaftStorage, Snapshot } from '@faultline/raft'

/** What is on the platter; outlives the processes. */
export class RaftPlatter {
  hardState: HardState = { term: 0, vote: -1, commit: 0 }
  snapshot: Snapshot | undefined
  entries: Entry[] = []

  apply({ truncateFrom, snapshot, entries, hardState }: Batch): void {
    if (truncateFrom !== undefined) this.entries = this.entries.filter((e) => e.index < truncateFrom)
    if (snapshot) {
      this.snapshot = snapshot
      this.entries = this.entries.filter((e) => e.index > snapshot.index)
    }
    this.entries.push(...entries)
    if (hardState) this.hardState = { ...hardState }
  }
}

const MAX_SYNC_MS = 4

export class VirtualRaftStorage implements RaftStorage {
  readonly #platter: RaftPlatter
  readonly #clock: Clock
  readonly #random: Prng
  readonly #queue: { batch: Batch; done: (error?: Error) => void }[] = []
  #writing = false

  /** `clock` is the node's: when its process ends, a sync that is under way does not complete. */
  constructor(platter: RaftPlatter, clock: Clock, random: Prng) {
    this.#platter = platter
    this.#clock = clock
    this.#random = random
  }

  async load() {
    const { hardState, snapshot, entries } = this.#platter
    return { hardState: { ...hardState }, snapshot, entries: [...entries] }
  }

  persist(batch: Batch, done: (error?: Error) => void): void {
    this.#queue.push({ batch, done })
    if (!this.#writing) this.#write()
  }

  async close(): Promise<void> {}

  #write(): void {
    this.#writing = true
    const batches = this.#queue.splice(0)
    this.#clock.after(this.#random.next() * MAX_SYNC_MS, () => {
      for (const { batch } of batches) this.#platter.apply(batch)
      this.#writing = false
      for (const { done } of batches) done()
      if (!this.#writing && this.#queue.length > 0) this.#write()
    })
  }
}
