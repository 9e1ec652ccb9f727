// Names of the files of a partition folder, and whole-file reads and writes for the small ones.
import type { Disk } from '@faultline/base'

export const LOG_SUFFIX = '.log'
export const INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TRANSACTION_INDEX_SUFFIX = '.txnindex'
export const SNAPSHOT_SUFFIX = '.snapshot'
/** On its way out: removed when seen. */
export const DELETED_SUFFIX = '.deleted'
/** Output of the cleaner: unfinished, and finished but not yet in place. */
export const CLEANED_SUFFIX = '.cleaned'
export const SWAP_SUFFIX = '.swap'
const TEMPORARY_SUFFIX = '.tmp'

/** 20 digits, as Kafka names everything that begins at an offset. */
export function offsetFileName(offset: number, suffix: string): string {
  return offset.toString().padStart(20, '0') + suffix
}

/** The offset in a file name of that suffix; undefined for another kind of file. */
export function offsetOfFileName(name: string, suffix: string): number | undefined {
  if (!name.endsWith(suffix)) return undefined
  const digits = name.slice(0, -suffix.length)
  if (!/^\d{20}$/.test(digits)) return undefined
  const offset = Number(digits)
  return Number.isSafeInteger(offset) ? offset : undefined
}

export function isTemporary(name: string): boolean {
  return name.endsWith(TEMPORARY_SUFFIX)
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'))) || (path.startsWith('/') ? '/' : '.')
}

export function readWhole(disk: Disk, path: string): Uint8Array | undefined {
  if (!disk.exists(path)) return undefined
  const file = disk.open(path, 'r')
  try {
    const bytes = new Uint8Array(file.size())
    return bytes.subarray(0, file.read(bytes, 0))
  } finally {
    file.close()
  }
}

/** `sync`: durable when it returns, and so is its name once the folder is synced. */
export function writeWhole(disk: Disk, path: string, bytes: Uint8Array, sync: boolean): void {
  const file = disk.open(path, 'rw')
  try {
    if (file.size() > bytes.length) file.truncate(bytes.length)
    file.write(bytes, 0)
    if (sync) file.sync()
  } finally {
    file.close()
  }
}

/** Readers see the old content or the new, never a mixture; with `sync` that also holds for a power loss. */
export function replaceWhole(disk: Disk, path: string, bytes: Uint8Array, sync: boolean): void {
  const temporary = path + TEMPORARY_SUFFIX
  writeWhole(disk, temporary, bytes, sync)
  disk.rename(temporary, path)
}
