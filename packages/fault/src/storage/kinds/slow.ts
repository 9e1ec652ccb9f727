// An operation takes its time, and the node with it.
import { isOperation, type StorageKind } from '../storage-kind.ts'

export const slow: StorageKind = {
  kind: 'slow',
  concerns: isOperation,
  before: (_operation, armed, machine) => machine.pause(armed.number('ms', 100)),
}
