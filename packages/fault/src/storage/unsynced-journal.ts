// What a machine would lose with its power: bytes that were written and not synced. They are noted in a file that outlives the process; if
// that was killed, they are cut off before it starts again. Names, and the lengths that files were cut to, are kept, as journalling file
// systems keep them.
import type { Clock, Disk, DiskFile } from '@faultline/base'

/** `size`: of the file before bytes were written to it. `synced`: all of it is safe. `from`, `to`: a new name, or none. */
type Note =
  | { readonly path: string; readonly size: number; readonly at: number }
  | { readonly path: string; readonly cut: number }
  | { readonly synced: string }
  | { readonly from: string; readonly to: string | null }

export interface PowerLoss {
  readonly files: number
  readonly bytes: number
}

/** Writes to one file that are closer together are one note: they are written back together, too. */
const NOTE_EVERY_MS = 20

export class UnsyncedJournal {
  readonly #disk: Disk
  readonly #path: string
  readonly #clock: Clock
  readonly #file: DiskFile
  #end = 0
  /** Of each file's last note, on the monotonic clock. */
  readonly #noted = new Map<string, number>()

  /** Begins with nothing to lose. */
  constructor(disk: Disk, path: string, clock: Clock) {
    this.#disk = disk
    this.#path = path
    this.#clock = clock
    this.#file = disk.open(path, 'rw')
    this.#file.truncate(0)
  }

  /** Before bytes are written to a file of `size`. */
  writing(path: string, size: number): void {
    const at = this.#clock.mono()
    if (at - (this.#noted.get(path) ?? Number.NEGATIVE_INFINITY) < NOTE_EVERY_MS) return
    this.#noted.set(path, at)
    this.#note({ path, size, at })
  }

  truncated(path: string, size: number): void {
    if (!this.#noted.has(path)) return
    this.#noted.set(path, Number.NEGATIVE_INFINITY)
    this.#note({ path, cut: size })
  }

  synced(path: string): void {
    if (this.#noted.delete(path)) this.#note({ synced: path })
  }

  /** A file or a folder; `to` is null when it is gone. */
  renamed(from: string, to: string | null): void {
    const moved = [...this.#noted.keys()].filter((path) => isAt(path, from))
    for (const path of moved) {
      this.#noted.delete(path)
      if (to !== null) this.#noted.set(to + path.slice(from.length), Number.NEGATIVE_INFINITY)
    }
    if (moved.length > 0) this.#note({ from, to })
  }

  #note(note: Note): void {
    const line = new TextEncoder().encode(`${JSON.stringify(note)}\n`)
    this.#file.write(line, this.#end)
    this.#end += line.length
  }

  /** The power is back, or was never gone: nothing will be lost. */
  discard(): void {
    this.#file.close()
    this.#disk.remove(this.#path)
  }
}

/** What the journal at `path` says is not on the disk, as `file -> size`; `ageMs` after it was written, everything is. */
export function unsyncedIn(disk: Disk, path: string, ageMs: number): ReadonlyMap<string, number> {
  const sizes = new Map<string, { size: number; at: number }[]>()
  let now = 0
  for (const note of notesIn(disk, path)) {
    if ('synced' in note) sizes.delete(note.synced)
    else if ('from' in note) rename(sizes, note.from, note.to)
    else if ('cut' in note)
      sizes.set(
        note.path,
        (sizes.get(note.path) ?? []).map(({ size, at }) => ({ size: Math.min(size, note.cut), at })),
      )
    else {
      now = Math.max(now, note.at)
      sizes.set(note.path, [...(sizes.get(note.path) ?? []), note])
    }
  }
  const unsynced = new Map<string, number>()
  for (const [file, writes] of sizes) {
    const young = writes.find(({ at }) => at >= now - ageMs)
    if (young) unsynced.set(file, young.size)
  }
  return unsynced
}

/** How much there is of it. */
export function measure(disk: Disk, unsynced: ReadonlyMap<string, number>): PowerLoss {
  let files = 0
  let bytes = 0
  eachLonger(disk, unsynced, (file, size) => {
    files++
    bytes += file.size() - size
  })
  return { files, bytes }
}

export function cutOff(disk: Disk, unsynced: ReadonlyMap<string, number>): void {
  eachLonger(disk, unsynced, (file, size) => file.truncate(size))
}

function eachLonger(disk: Disk, sizes: ReadonlyMap<string, number>, visit: (file: DiskFile, size: number) => void): void {
  for (const [path, size] of sizes) {
    if (!disk.exists(path)) continue
    const file = disk.open(path, 'rw')
    if (file.size() > size) visit(file, size)
    file.close()
  }
}

/** The last one may be torn: its write had not begun. */
function notesIn(disk: Disk, path: string): Note[] {
  if (!disk.exists(path)) return []
  const file = disk.open(path, 'r')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0)
  file.close()
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Note)
}

function rename(sizes: Map<string, { size: number; at: number }[]>, from: string, to: string | null): void {
  for (const [path, writes] of [...sizes]) {
    if (!isAt(path, from)) continue
    sizes.delete(path)
    if (to !== null) sizes.set(to + path.slice(from.length), writes)
  }
}

function isAt(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}
