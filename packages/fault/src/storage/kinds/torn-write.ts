// The node dies in the middle of a write: half of it is on the disk.
import type { StorageKind } from '../storage-kind.ts'

export const tornWrite: StorageKind = {
  kind: 'torn-write',
  concerns: ({ name }) => name === 'write',
  write(bytes, write, _armed, machine) {
    write(bytes.subarray(0, bytes.length >> 1))
    machine.crash()
  },
}
