// The Disk port with faults: each operation is shown to the storage faults that are armed, and done by the disk behind.
import type { Clock, Disk, DiskFile } from '@faultline/base'
import type { StorageFaults } from './storage-faults.ts'
import { UnsyncedJournal } from './unsynced-journal.ts'

export class FaultyDisk implements Disk {
  readonly #disk: Disk
  readonly #faults: StorageFaults
  readonly #clock: Clock
  readonly #journalPath: string | undefined
  #journal: UnsyncedJournal | undefined

  /** `journalPath`: where it is noted what would be lost with the power, on the disk behind. */
  constructor(disk: Disk, faults: StorageFaults, clock: Clock, journalPath?: string) {
    this.#disk = disk
    this.#faults = faults
    this.#clock = clock
    this.#journalPath = journalPath
  }

  /** The node starts: if it was killed where that was to be a power loss, it has lost what it had not synced. */
  start(): void {
    if (this.#journalPath === undefined) return
    this.#faults.losePower(this.#disk, this.#journalPath)
    this.#disk.remove(this.#journalPath)
    this.adapt()
  }

  /** Other faults are armed. */
  adapt(): void {
    if (this.#journalPath === undefined || this.#faults.losesUnsynced === (this.#journal !== undefined)) return
    if (this.#journal) this.stop()
    else this.#journal = new UnsyncedJournal(this.#disk, this.#journalPath, this.#clock)
  }

  /** The node ends by itself: that is no power loss. */
  stop(): void {
    this.#journal?.discard()
    this.#journal = undefined
  }

  /** Notes what would be lost with the power. */
  get journal(): UnsyncedJournal | undefined {
    return this.#journal
  }

  open(path: string, mode: 'r' | 'rw'): DiskFile {
    if (mode === 'rw' && !this.#disk.exists(path)) this.#faults.before('open', path)
    return new FaultyFile(this.#disk.open(path, mode), path, this.#faults, this.#clock, this)
  }

  exists(path: string): boolean {
    return this.#disk.exists(path)
  }

  list(path: string): string[] {
    return this.#disk.list(path)
  }

  isDirectory(path: string): boolean {
    return this.#disk.isDirectory(path)
  }

  makeDirectory(path: string): void {
    this.#disk.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#faults.before('rename', from)
    this.#disk.rename(from, to)
    this.#journal?.renamed(from, to)
  }

  remove(path: string): void {
    this.#faults.before('remove', path)
    this.#disk.remove(path)
    this.#journal?.renamed(path, null)
  }

  syncDirectory(path: string): void {
    this.#faults.before('sync', path)
    this.#disk.syncDirectory(path)
  }
}

class FaultyFile implements DiskFile {
  readonly #file: DiskFile
  readonly #path: string
  readonly #faults: StorageFaults
  readonly #clock: Clock
  readonly #disk: FaultyDisk
  /** When what was asked for is done, on the monotonic clock; 0 when it is: a slow disk does one thing after the other. */
  readonly #due = { read: 0, write: 0 }

  constructor(file: DiskFile, path: string, faults: StorageFaults, clock: Clock, disk: FaultyDisk) {
    this.#file = file
    this.#path = path
    this.#faults = faults
    this.#clock = clock
    this.#disk = disk
  }

  size(): number {
    return this.#file.size()
  }

  read(into: Uint8Array, position: number): number {
    if (!this.#faults.isQuiet) this.#delay('read', this.#faults.before('read', this.#path))
    return this.#file.read(into, position)
  }

  write(bytes: Uint8Array, position: number): void {
    if (this.#faults.isQuiet) return this.#file.write(bytes, position)
    const late = this.#faults.before('write', this.#path)
    if (this.#disk.journal && this.#faults.mayLose(this.#path)) this.#disk.journal.writing(this.#path, this.#file.size())
    this.#faults.write(this.#path, bytes, (b) => this.#file.write(b, position))
    this.#delay('write', late)
  }

  truncate(size: number): void {
    this.#faults.before('truncate', this.#path)
    this.#file.truncate(size)
    this.#disk.journal?.truncated(this.#path, size)
  }

  sync(): void {
    this.#delay('write', this.#faults.before('sync', this.#path))
    this.#file.sync()
    this.#disk.journal?.synced(this.#path)
  }

  lateMs(what: 'read' | 'write'): number {
    if (this.#due[what] === 0) return this.#file.lateMs(what)
    const late = this.#due[what] - this.#clock.mono()
    if (late > 0) return late
    this.#due[what] = 0
    return 0
  }

  #delay(what: 'read' | 'write', ms: number): void {
    if (ms > 0) this.#due[what] = Math.max(this.#due[what], this.#clock.mono()) + ms
  }

  close(): void {
    this.#file.close()
  }
}
