// What a kind of storage fault is: what it does to one operation on one file.
import type { ArmedFault } from '../armed-fault.ts'

export type FileKind = 'log' | 'index' | 'checkpoint' | 'snapshot' | 'other'
export type OperationName = 'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove'

export interface StorageOperation {
  readonly name: OperationName
  readonly path: string
  readonly file: FileKind
}

/** What only a machine can do. */
export interface StorageMachine {
  /** The whole node waits: its disk calls are synchronous. */
  pause(ms: number): void
  /** SIGKILL, now. */
  crash(): void
}

export interface StorageKind {
  readonly kind: string
  /** Whether the operation is an occasion for it. */
  concerns(operation: StorageOperation, armed: ArmedFault): boolean
  /** Before the operation; throws DiskError instead of it. */
  before?(operation: StorageOperation, armed: ArmedFault, machine: StorageMachine): void
  /** Instead of a write of `bytes`: `write` writes what it is given. */
  write?(bytes: Uint8Array, write: (bytes: Uint8Array) => void, armed: ArmedFault, machine: StorageMachine): void
}

const SUFFIXES: readonly (readonly [string, FileKind])[] = [
  ['.log', 'log'],
  ['.index', 'index'],
  ['.timeindex', 'index'],
  ['.txnindex', 'index'],
  ['.snapshot', 'snapshot'],
  ['checkpoint', 'checkpoint'],
  ['checkpoint.tmp', 'checkpoint'],
]

export function fileKind(path: string): FileKind {
  return SUFFIXES.find(([suffix]) => path.endsWith(suffix))?.[1] ?? 'other'
}

/** The parameter "operation" of a kind that can be of one or of any. */
export function isOperation({ name }: StorageOperation, armed: ArmedFault): boolean {
  const wanted = armed.text('operation', 'any')
  return wanted === 'any' || wanted === name
}
