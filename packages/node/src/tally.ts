// The occasions of a fault, counted over all nodes that are armed with it, in one step and without asking anybody: a file in the folder of the
// management sockets that has the number in its name. Whoever renames it from n to n + 1 has occasion n + 1; for everybody else it is gone.
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Others came first so often in a row: somebody else's bug, not a race. */
const MAX_TRIES = 10_000
/** A folder is not read in one piece: a file that is renamed meanwhile may be missed. */
const MAX_MISSES = 10

/** Counts from 1; what was counted under this id before is forgotten. */
export function beginTally(folder: string, fault: string): void {
  endTally(folder, fault)
  writeFileSync(pathOf(folder, fault, 0), '')
}

/** Nobody hits any more. */
export function endTally(folder: string, fault: string): void {
  // Somebody may just have renamed it.
  for (let found = numbersOf(folder, fault); found.length > 0; found = numbersOf(folder, fault))
    for (const number of found) rmSync(pathOf(folder, fault, number), { force: true })
}

export class FileTally {
  readonly #folder: string
  /** What was seen last, by fault. */
  readonly #seen = new Map<string, number>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * The number of this occasion; undefined when `limit` are counted, the fault has ended, or the folder cannot be written: whoever has no number
   * must not act.
   */
  next(fault: string, limit = Number.POSITIVE_INFINITY): number | undefined {
    for (let tries = 0, misses = 0; tries < MAX_TRIES && misses < MAX_MISSES; tries++) {
      const at = this.#seen.get(fault) ?? Math.max(-1, ...numbersOf(this.#folder, fault))
      if (at < 0) {
        misses++
        continue
      }
      if (at >= limit) return undefined
      try {
        renameSync(pathOf(this.#folder, fault, at), pathOf(this.#folder, fault, at + 1))
        this.#seen.set(fault, at + 1)
        return at + 1
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined
        this.#seen.delete(fault)
      }
    }
    return undefined
  }
}

function pathOf(folder: string, fault: string, number: number): string {
  return join(folder, `${fault}.tally.${number}`)
}

function numbersOf(folder: string, fault: string): number[] {
  const prefix = `${fault}.tally.`
  return readdirSync(folder).flatMap((name) => (name.startsWith(prefix) ? [Number(name.slice(prefix.length))] : []))
}
