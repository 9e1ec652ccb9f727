// Replays a partition's log into a shard's state, record by record, so that whoever drives it can stop anywhere.
import { type ErrorCode, MalformedError } from '@faultline/protocol'
import type { ShardLog, ShardState } from './ports.ts'

export interface Replayed {
  readonly error: ErrorCode
  readonly records: number
  /** Bytes that were no record of this kind: an administrator can write such, and one of them must not cost a whole partition. */
  readonly skipped: number
}

/** Up to the end that the log has when this starts. Yields after each record. */
export function* replayLog(log: ShardLog, state: ShardState): Generator<undefined, Replayed> {
  const end = log.endOffset
  let records = 0
  let skipped = 0
  for (let offset = log.startOffset; offset < end;) {
    const slice = log.read(offset)
    if (slice.error !== 0) return { error: slice.error, records, skipped }
    if (slice.nextOffset <= offset) break
    offset = slice.nextOffset
    for (const record of slice.records) {
      records++
      try {
        state.replay(record)
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error
        skipped++
      }
      yield undefined
    }
  }
  return { error: 0, records, skipped }
}
