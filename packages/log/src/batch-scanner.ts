// Walks over batches that lie one after another: in memory, and in a .log file that is read in large pieces.
import type { DiskFile } from '@faultline/base'
import { BATCH_HEADER_SIZE, LOG_OVERHEAD, MAGIC, RecordBatch } from '@faultline/protocol'

const PIECE_BYTES = 256 * 1024
/** No request is larger, so a longer batch is damage and not to be allocated for. */
const MAX_BATCH_BYTES = 0x3fff_ffff

/**
 * Calls `visit` with each whole batch between `from` and `to` until it returns false, or the bytes are no batch. Returns the position
 * where it stopped: `to` when all of it was visited. `visit` may keep nothing of the batch: its bytes are overwritten.
 */
export function scanBatches(
  file: DiskFile,
  from: number,
  to: number,
  visit: (batch: RecordBatch, position: number) => boolean,
): number {
  let piece = new Uint8Array(Math.max(0, Math.min(PIECE_BYTES, to - from)))
  let position = from
  while (position < to) {
    const length = file.read(piece.subarray(0, Math.min(piece.length, to - position)), position)
    const visited = visitPiece(piece.subarray(0, length), position, visit)
    position += visited.bytes
    if (visited.stopped) return position
    if (visited.bytes > 0) continue
    if (visited.missing === 0 || position + visited.missing > to || visited.missing <= piece.length) return position
    piece = new Uint8Array(visited.missing)
  }
  return position
}

interface Visited {
  /** Of whole batches visited. */
  readonly bytes: number
  readonly stopped: boolean
  /** Size of the batch that is not whole in this piece; 0 when what follows is no batch. */
  readonly missing: number
}

function visitPiece(piece: Uint8Array, position: number, visit: (batch: RecordBatch, position: number) => boolean): Visited {
  let at = 0
  while (at < piece.length) {
    const size = plausibleBatchSize(piece, at)
    if (size === 0 || at + size > piece.length) return { bytes: at, stopped: size === 0, missing: size }
    if (!visit(new RecordBatch(piece, at), position + at)) return { bytes: at, stopped: true, missing: 0 }
    at += size
  }
  return { bytes: at, stopped: false, missing: 0 }
}

/** Size of the batch that seems to begin at `at`, as far as its header shows; 0 when it can be none. */
export function plausibleBatchSize(bytes: Uint8Array, at: number): number {
  // A header cut off by the end of the piece asks for a whole header first.
  if (bytes.length - at < BATCH_HEADER_SIZE) return BATCH_HEADER_SIZE
  const batch = new RecordBatch(bytes, at)
  const size = LOG_OVERHEAD + batch.batchLength
  const plausible = size >= BATCH_HEADER_SIZE && size <= MAX_BATCH_BYTES && batch.magic === MAGIC
  return plausible && batch.baseOffset >= 0 && batch.lastOffsetDelta >= 0 ? size : 0
}

export interface Located {
  readonly found: boolean
  /** Where the batch begins; if not found, where to look on. */
  readonly at: number
  /** 0 when what is there is no batch. */
  readonly size: number
}

/** The first batch that ends at `offset` or after. The piece need hold no more of it than the header. */
export function locate(piece: Uint8Array, offset: number): Located {
  let at = 0
  while (at + BATCH_HEADER_SIZE <= piece.length) {
    const size = plausibleBatchSize(piece, at)
    if (size === 0) return { found: false, at, size }
    if (new RecordBatch(piece, at).lastOffset >= offset) return { found: true, at, size }
    at += size
  }
  return { found: false, at, size: at === 0 ? 0 : BATCH_HEADER_SIZE }
}

/** How much of `piece`, which begins with a batch, are whole batches within `maxBytes` that end before `limitOffset`. */
export function takeBatches(piece: Uint8Array, maxBytes: number, limitOffset: number): { bytes: number; nextOffset: number } {
  const end = Math.min(piece.length, maxBytes)
  let bytes = 0
  let nextOffset = -1
  while (bytes + BATCH_HEADER_SIZE <= end) {
    const size = plausibleBatchSize(piece, bytes)
    if (size === 0 || bytes + size > end) break
    const after = new RecordBatch(piece, bytes).nextOffset
    if (after > limitOffset) break
    nextOffset = after
    bytes += size
  }
  return { bytes, nextOffset }
}
