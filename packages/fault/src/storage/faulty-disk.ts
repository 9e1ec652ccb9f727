// The Disk port with faults: each operation is shown to the storage faults that are armed, and done by the disk behind.
import type { Clock, Disk, DiskFile } from '@faultline/base'
import type { StorageFaults } from './storage-faults.ts'

export class FaultyDisk implements Disk {
  readonly #disk: Disk
  readonly #faults: StorageFaults
  readonly #clock: Clock

  constructor(disk: Disk, faults: StorageFaults, clock: Clock) {
    this.#disk = disk
    this.#faults = faults
    this.#clock = clock
  }

  open(path: string, mode: 'r' | 'rw'): DiskFile {
    if (mode === 'rw' && !this.#disk.exists(path)) this.#faults.before('open', path)
    return new FaultyFile(this.#disk.open(path, mode), path, this.#faults, this.#clock)
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
  }

  remove(path: string): void {
    this.#faults.before('remove', path)
    this.#disk.remove(path)
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
  /** When what was asked for is done, on the monotonic clock; 0 when it is: a slow disk does one thing after the other. */
  readonly #due = { read: 0, write: 0 }

  constructor(file: DiskFile, path: string, faults: StorageFaults, clock: Clock) {
    this.#file = file
    this.#path = path
    this.#faults = faults
    this.#clock = clock
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
    this.#faults.write(this.#path, bytes, (b) => this.#file.write(b, position))
    this.#delay('write', late)
  }

  truncate(size: number): void {
    this.#faults.before('truncate', this.#path)
    this.#file.truncate(size)
  }

  sync(): void {
    this.#delay('write', this.#faults.before('sync', this.#path))
    this.#file.sync()
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
