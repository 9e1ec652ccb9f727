// The disk is full: nothing can be written or made.
import { DiskError } from '@faultline/base'
import type { StorageKind } from '../storage-kind.ts'

export const full: StorageKind = {
  kind: 'full',
  concerns: ({ name }) => name === 'write' || name === 'open',
  before({ path }) {
    throw new DiskError('ENOSPC', path, `ENOSPC: no space left on device, write '${path}'`)
  },
}
