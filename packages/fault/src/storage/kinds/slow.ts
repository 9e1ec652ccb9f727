// An operation takes its time. Who asked for it goes on, and waits with what follows from it.
import { isOperation, type StorageKind } from '../storage-kind.ts'

const TAKE_TIME: ReadonlySet<string> = new Set(['read', 'write', 'sync'])

export const slow: StorageKind = {
  kind: 'slow',
  // What is written into the other files is waited for by nobody, here as in Kafka.
  concerns: (operation, armed) =>
    TAKE_TIME.has(operation.name) && (operation.file === 'log' || operation.file === 'raft') && isOperation(operation, armed),
  latency: (armed) => armed.number('ms', 100),
}
