// Replays a partition's log into a shard's state, record by record, so that whoever drives it can stop anywhere.
import { type ErrorCode, MalformedError } from '@faultline/protocol'
import type { LoggedEnd, LoggedRecord, ShardLog, ShardState } from './ports.ts'

export interface Replayed {
  readonly error: ErrorCode
  readonly records: number
  /** Bytes that were no record of this kind: an administrator can write such, and one of them must not cost a whole partition. */
  readonly skipped: number
}

/** Up to the end that the log has when this starts. Yields after each record: 0, or for how many milliseconds a slow disk reads on. */
export function* replayLog(log: ShardLog, state: ShardState): Generator<number, Replayed> {
  const end = log.endOffset
  let records = 0
  let skipped = 0
  for (let offset = log.startOffset; offset < end;) {
    const slice = log.read(offset)
    if (slice.error !== 0) return { error: slice.error, records, skipped }
    if (slice.nextOffset <= offset) break
    offset = slice.nextOffset
    if (slice.lateMs > 0) yield slice.lateMs
    for (const entry of slice.entries) {
      records++
      if (!replayEntry(entry, state)) skipped++
      yield 0
    }
  }
  return { error: 0, records, skipped }
}

function replayEntry(entry: LoggedRecord | LoggedEnd, state: ShardState): boolean {
  try {
    if ('committed' in entry) state.endTransaction(entry.producerId, entry.committed)
    else state.replay(entry, entry.producerId)
    return true
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return false
  }
}
