// An operation fails with an I/O error.
import { DiskError } from '@faultline/base'
import { isOperation, type StorageKind } from '../storage-kind.ts'

export const ioError: StorageKind = {
  kind: 'io-error',
  concerns: isOperation,
  before({ name, path }) {
    throw new DiskError('EIO', path, `EIO: i/o error, ${name} '${path}'`)
  },
}
