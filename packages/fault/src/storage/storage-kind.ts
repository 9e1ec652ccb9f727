// What a kind of storage fault is: what it does to one operation on one file.
import type { ArmedFault } from '../armed-fault.ts'

/** 'raft': what the quorum keeps, whatever files that is in. */
export type FileKind = 'log' | 'index' | 'checkpoint' | 'snapshot' | 'raft' | 'other'
export type OperationName = 'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove'

export interface StorageOperation {
  readonly name: OperationName
  readonly path: string
  readonly file: FileKind
}

/** What only a machine can do. */
export interface StorageMachine {
  /** SIGKILL, now: it does not return. */
  crash(): void
}

export interface StorageKind {
  readonly kind: string
  /** Whether the operation is an occasion for it. */
  concerns(operation: StorageOperation, armed: ArmedFault): boolean
  /** Before the operation; throws DiskError instead of it. */
  before?(operation: StorageOperation): void
  /** By how much it is to be taken for done later than it is, in milliseconds. */
  latency?(armed: ArmedFault): number
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
