// Every kind of storage fault, in one file a kind.
import type { StorageKind } from '../storage-kind.ts'
import { bitFlip } from './bit-flip.ts'
import { full } from './full.ts'
import { ioError } from './io-error.ts'
import { loseUnsynced } from './lose-unsynced.ts'
import { slow } from './slow.ts'
import { tornWrite } from './torn-write.ts'

const ALL = [bitFlip, full, ioError, loseUnsynced, slow, tornWrite]

export const STORAGE_KINDS: ReadonlyMap<string, StorageKind> = new Map(ALL.map((kind) => [kind.kind, kind]))
