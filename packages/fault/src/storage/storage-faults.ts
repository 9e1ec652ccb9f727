// The storage faults that are armed in a node, asked before each operation: whether it fails, takes its time, or does something else.
import type { ArmedFault } from '../armed-fault.ts'
import type { ArmedFaults } from '../armed-faults.ts'
import { STORAGE_KINDS } from './kinds/index.ts'
import { fileKind, type OperationName, type StorageKind, type StorageMachine, type StorageOperation } from './storage-kind.ts'

export class StorageFaults {
  readonly #faults: ArmedFaults
  readonly #machine: StorageMachine

  constructor(faults: ArmedFaults, machine: StorageMachine) {
    this.#faults = faults
    this.#machine = machine
  }

  get isQuiet(): boolean {
    return this.#faults.of('storage').length === 0
  }

  /** Throws DiskError when a fault says so. Returns by how much the operation is late, in milliseconds. */
  before(name: OperationName, path: string, file = fileKind(path)): number {
    let late = 0
    const operation = { name, path, file }
    for (const armed of this.#faults.of('storage')) {
      const kind = STORAGE_KINDS.get(armed.fault.kind)
      if (!(kind?.before || kind?.latency) || !this.#hits(kind, armed, operation)) continue
      kind.before?.(operation)
      late += kind.latency?.(armed) ?? 0
    }
    return late
  }

  /** Writes what is to be on the disk instead of `bytes`; or those. */
  write(path: string, bytes: Uint8Array, write: (bytes: Uint8Array) => void, file = fileKind(path)): void {
    const operation = { name: 'write', path, file } as const
    for (const armed of this.#faults.of('storage')) {
      const kind = STORAGE_KINDS.get(armed.fault.kind)
      if (kind?.write && this.#hits(kind, armed, operation)) return kind.write(bytes, write, armed, this.#machine)
    }
    write(bytes)
  }

  #hits(kind: StorageKind, armed: ArmedFault, operation: StorageOperation): boolean {
    const { name, path, file } = operation
    const { where } = armed.fault
    if (where.file !== undefined && where.file !== file) return false
    if (where.topic !== undefined && !isOf(path, where.topic, where.partition)) return false
    return kind.concerns(operation, armed) && this.#faults.hit(armed, { operation: name, path })
  }
}

/** A partition's files are in a folder "topic-partition". */
function isOf(path: string, topic: string, partition: number | undefined): boolean {
  const folder = path.split('/').at(-2) ?? ''
  return partition === undefined ? folder.slice(0, folder.lastIndexOf('-')) === topic : folder === `${topic}-${partition}`
}
