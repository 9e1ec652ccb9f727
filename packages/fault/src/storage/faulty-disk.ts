// The Disk port with faults: each operation is shown to the storage faults that are armed, and done by the disk behind.
import type { Disk, DiskFile } from '@faultline/base'
import type { ArmedFault } from '../armed-fault.ts'
import type { ArmedFaults } from '../armed-faults.ts'
import { STORAGE_KINDS } from './kinds/index.ts'
import { fileKind, type OperationName, type StorageMachine } from './storage-kind.ts'

export class FaultyDisk implements Disk {
  readonly #disk: Disk
  readonly #faults: ArmedFaults
  readonly #machine: StorageMachine

  constructor(disk: Disk, faults: ArmedFaults, machine: StorageMachine) {
    this.#disk = disk
    this.#faults = faults
    this.#machine = machine
  }

  open(path: string, mode: 'r' | 'rw'): DiskFile {
    if (mode === 'rw' && !this.#disk.exists(path)) this.before('open', path)
    return new FaultyFile(this.#disk.open(path, mode), path, this)
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
    this.before('rename', from)
    this.#disk.rename(from, to)
  }

  remove(path: string): void {
    this.before('remove', path)
    this.#disk.remove(path)
  }

  syncDirectory(path: string): void {
    this.before('sync', path)
    this.#disk.syncDirectory(path)
  }

  get isQuiet(): boolean {
    return this.#faults.of('storage').length === 0
  }

  /** Throws DiskError when a fault says so. */
  before(name: OperationName, path: string): void {
    for (const armed of this.#faults.of('storage')) {
      const kind = STORAGE_KINDS.get(armed.fault.kind)
      if (kind?.before && this.#hits(armed, name, path)) kind.before({ name, path, file: fileKind(path) }, armed, this.#machine)
    }
  }

  write(path: string, bytes: Uint8Array, write: (bytes: Uint8Array) => void): void {
    this.before('write', path)
    for (const armed of this.#faults.of('storage')) {
      const kind = STORAGE_KINDS.get(armed.fault.kind)
      if (kind?.write && this.#hits(armed, 'write', path)) return kind.write(bytes, write, armed, this.#machine)
    }
    write(bytes)
  }

  #hits(armed: ArmedFault, name: OperationName, path: string): boolean {
    const file = fileKind(path)
    const { where } = armed.fault
    if (where.file !== undefined && where.file !== file) return false
    if (where.topic !== undefined && !isOf(path, where.topic, where.partition)) return false
    const kind = STORAGE_KINDS.get(armed.fault.kind)!
    return kind.concerns({ name, path, file }, armed) && this.#faults.hit(armed, { operation: name, path })
  }
}

/** A partition's files are in a folder "topic-partition". */
function isOf(path: string, topic: string, partition: number | undefined): boolean {
  const folder = path.split('/').at(-2) ?? ''
  return partition === undefined ? folder.slice(0, folder.lastIndexOf('-')) === topic : folder === `${topic}-${partition}`
}

class FaultyFile implements DiskFile {
  readonly #file: DiskFile
  readonly #path: string
  readonly #disk: FaultyDisk

  constructor(file: DiskFile, path: string, disk: FaultyDisk) {
    this.#file = file
    this.#path = path
    this.#disk = disk
  }

  size(): number {
    return this.#file.size()
  }

  read(into: Uint8Array, position: number): number {
    if (!this.#disk.isQuiet) this.#disk.before('read', this.#path)
    return this.#file.read(into, position)
  }

  write(bytes: Uint8Array, position: number): void {
    if (this.#disk.isQuiet) this.#file.write(bytes, position)
    else this.#disk.write(this.#path, bytes, (b) => this.#file.write(b, position))
  }

  truncate(size: number): void {
    this.#disk.before('truncate', this.#path)
    this.#file.truncate(size)
  }

  sync(): void {
    this.#disk.before('sync', this.#path)
    this.#file.sync()
  }

  close(): void {
    this.#file.close()
  }
}
