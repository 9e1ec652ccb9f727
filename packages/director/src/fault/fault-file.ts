// What is armed, on disk: a director that is started again goes on with it. Written whole, a moment after it has changed.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { FaultRequest } from './fault-request.ts'

export interface SavedFault {
  readonly id: string
  readonly request: FaultRequest
  readonly state: 'waiting' | 'armed' | 'spent'
  readonly hits: number
  readonly notices: number
  readonly lastHit: Readonly<Record<string, unknown>> | null
  /** Wall clock, ms. */
  readonly beginsAt: number | undefined
  readonly endsAt: number | undefined
  /** What roles meant when it began. */
  readonly named: Readonly<Record<string, string>>
  /** Nodes that were ended or stopped. */
  readonly struck: readonly string[]
}

export interface SavedFaults {
  /** The number of the next fault. */
  readonly next: number
  readonly faults: readonly SavedFault[]
}

const SOON_MS = 200

export class FaultFile {
  readonly #path: string
  #soon: NodeJS.Timeout | undefined

  constructor(path: string) {
    this.#path = path
  }

  read(): SavedFaults {
    if (!existsSync(this.#path)) return { next: 1, faults: [] }
    return JSON.parse(readFileSync(this.#path, 'utf8')) as SavedFaults
  }

  /** `faults` is asked when it is written. */
  saveSoon(faults: () => SavedFaults): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      try {
        writeFileSync(`${this.#path}.tmp`, JSON.stringify(faults()))
        renameSync(`${this.#path}.tmp`, this.#path)
      } catch {
        // A full disk ends no experiment: what is armed is in memory, and only a director that is started again misses it.
      }
    }, SOON_MS)
  }
}
