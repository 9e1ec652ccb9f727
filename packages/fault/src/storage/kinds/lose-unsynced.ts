// Killed while it is armed, the node loses what it had written and not synced, as a machine does with its power. It has no occasions of its
// own: what is written is noted (unsynced-journal.ts), and lost when the node starts again.
import type { StorageKind } from '../storage-kind.ts'

/** Linux writes back what is older (vm.dirty_expire_centisecs). */
export const WRITE_BACK_MS = 30_000

export const loseUnsynced: StorageKind = { kind: 'lose-unsynced', concerns: ({ name }) => name === 'write' }
