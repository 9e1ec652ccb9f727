// What storage faults do to the bytes of the quorum's log: LevelDB has written them into its own log, and they are changed there, as a bad
// disk would. LevelDB and the records' checksums find it when the controller starts again.
import { closeSync, ftruncateSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { StorageFaults } from '@faultline/fault'

interface LogFile {
  readonly path: string
  readonly size: number
}

export class Underneath {
  readonly #folder: string
  readonly #faults: StorageFaults

  constructor(folder: string, faults: StorageFaults) {
    this.#folder = folder
    this.#faults = faults
  }

  /** Before a write of LevelDB; what it returns is to be called when that is done, and before anybody hears of it. */
  begin(): () => void {
    if (this.#faults.isQuiet) return () => {}
    const before = this.#newest()
    return () => {
      const after = this.#newest()
      if (after) this.#change(after, after.path === before?.path ? before.size : 0)
    }
  }

  #change({ path, size }: LogFile, from: number): void {
    const file = openSync(path, 'r+')
    try {
      const written = new Uint8Array(size - from)
      readSync(file, written, 0, written.length, from)
      const replace = (bytes: Uint8Array) => {
        if (bytes === written) return
        ftruncateSync(file, from + bytes.length)
        writeSync(file, bytes, 0, bytes.length, from)
      }
      this.#faults.write(path, written, replace, 'raft')
    } finally {
      closeSync(file)
    }
  }

  /** LevelDB numbers its logs. */
  #newest(): LogFile | undefined {
    const name = readdirSync(this.#folder)
      .filter((f) => f.endsWith('.log'))
      .sort()
      .at(-1)
    if (name === undefined) return undefined
    const path = join(this.#folder, name)
    return { path, size: statSync(path).size }
  }
}
