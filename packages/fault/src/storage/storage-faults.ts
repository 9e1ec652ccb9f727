// The storage faults that are armed in a node, asked before each operation: whether it fails, takes its time, or does something else.
import type { Disk } from '@faultline/base'
import type { ArmedFault } from '../armed-fault.ts'
import type { ArmedFaults } from '../armed-faults.ts'
import { STORAGE_KINDS } from './kinds/index.ts'
import { loseUnsynced, WRITE_BACK_MS } from './kinds/lose-unsynced.ts'
import { fileKind, type OperationName, type StorageKind, type StorageMachine, type StorageOperation } from './storage-kind.ts'
import { cutOff, measure, unsyncedIn } from './unsynced-journal.ts'

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
    const { name, path } = operation
    return concerns(kind, armed, operation) && this.#faults.hit(armed, { operation: name, path })
  }

  /** A kill is to be a power loss. */
  get losesUnsynced(): boolean {
    return this.#losing.length > 0
  }

  /** As `losesUnsynced`, for what is written to this file. */
  mayLose(path: string): boolean {
    const operation = { name: 'write', path, file: fileKind(path) } as const
    return this.#losing.some((armed) => concerns(loseUnsynced, armed, operation))
  }

  /** The node was killed, and starts again: what the journal has noted is lost. */
  losePower(disk: Disk, journal: string): void {
    for (const armed of this.#losing) {
      const all = unsyncedIn(disk, journal, armed.number('age', WRITE_BACK_MS))
      const ours = [...all].filter(([path]) => concerns(loseUnsynced, armed, { name: 'write', path, file: fileKind(path) }))
      const unsynced = new Map(ours)
      const { files, bytes } = measure(disk, unsynced)
      if (bytes > 0 && this.#faults.hit(armed, { files, bytes })) cutOff(disk, unsynced)
    }
  }

  get #losing(): readonly ArmedFault[] {
    return this.#faults.of('storage').filter((armed) => armed.fault.kind === loseUnsynced.kind && !armed.isSpent)
  }
}

function concerns(kind: StorageKind, armed: ArmedFault, operation: StorageOperation): boolean {
  const { path, file } = operation
  const { where } = armed.fault
  if (where.file !== undefined && where.file !== file) return false
  if (where.topic !== undefined && !isOf(path, where.topic, where.partition)) return false
  return kind.concerns(operation, armed)
}

/** A partition's files are in a folder "topic-partition". */
function isOf(path: string, topic: string, partition: number | undefined): boolean {
  const folder = path.split('/').at(-2) ?? ''
  return partition === undefined ? folder.slice(0, folder.lastIndexOf('-')) === topic : folder === `${topic}-${partition}`
}
