// The quorum's storage with faults: each write is shown to the storage faults that are armed for files of the kind "raft".
import { type Clock, DiskError } from '@faultline/base'
import type { StorageFaults } from '@faultline/fault'
import type { Batch, RaftStorage, Survived } from '@faultline/raft'

export class FaultyStorage implements RaftStorage {
  readonly #storage: RaftStorage
  readonly #path: string
  readonly #faults: StorageFaults
  readonly #clock: Clock
  /** What a slow disk has still to do: later writes wait for it. */
  #busy: Promise<void> | undefined

  constructor(storage: RaftStorage, path: string, faults: StorageFaults, clock: Clock) {
    this.#storage = storage
    this.#path = path
    this.#faults = faults
    this.#clock = clock
  }

  async load(): Promise<Survived> {
    const late = this.#faults.before('read', this.#path, 'raft')
    if (late > 0) await this.#pass(late)
    return this.#storage.load()
  }

  persist(batch: Batch, done: (error?: Error) => void): void {
    if (!this.#busy && this.#faults.isQuiet) return this.#storage.persist(batch, done)
    try {
      // A batch is written and synced at once.
      const late = this.#faults.before('write', this.#path, 'raft') + this.#faults.before('sync', this.#path, 'raft')
      this.#then(late, () => this.#storage.persist(batch, done))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#then(0, () => done(error))
    }
  }

  #then(lateMs: number, run: () => void): void {
    if (!this.#busy && lateMs <= 0) return run()
    const done = (this.#busy ?? Promise.resolve()).then(() => (lateMs > 0 ? this.#pass(lateMs) : undefined)).then(run)
    this.#busy = done
    void done.then(() => {
      if (this.#busy === done) this.#busy = undefined
    })
  }

  #pass(ms: number): Promise<void> {
    return new Promise((passed) => this.#clock.after(ms, passed))
  }

  async close(): Promise<void> {
    await this.#busy
    await this.#storage.close()
  }
}
