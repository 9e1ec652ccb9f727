// Operations that wait for something to happen to a partition. A watcher looks for itself whether its time has come, and takes itself out.

export interface Watcher {
  check(): void
}

export class Watchers {
  readonly #watchers = new Set<Watcher>()

  get size(): number {
    return this.#watchers.size
  }

  [Symbol.iterator](): Iterator<Watcher> {
    return this.#watchers.values()
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher)
  }

  delete(watcher: Watcher): void {
    this.#watchers.delete(watcher)
  }

  notify(): void {
    if (this.#watchers.size === 0) return
    for (const watcher of [...this.#watchers]) watcher.check()
  }
}
