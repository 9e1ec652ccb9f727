// Control batches: the records that are not for applications. Transaction markers are the only ones in topic partitions.
import { buildBatch } from './build-batch.ts'
import type { BatchProblem } from './check-batch.ts'
import { readInt16, readInt32, writeInt16, writeInt32 } from './integers.ts'
import { BATCH_HEADER_SIZE, RecordBatch } from './record-batch.ts'
import { RecordCursor } from './record-cursor.ts'

/** The `type` field of a control record's key. Others exist in KRaft logs, and unknown ones are to be ignored. */
export const CONTROL_ABORT = 0
export const CONTROL_COMMIT = 1

export interface EndTransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly result: 'commit' | 'abort'
}

/** The batch of one marker. Its offset and leader epoch are set when it is appended. */
export function buildEndTransactionMarker(marker: EndTransactionMarker, timestamp: number): Uint8Array {
  const key = new Uint8Array(4)
  writeInt16(key, 2, marker.result === 'commit' ? CONTROL_COMMIT : CONTROL_ABORT)
  const value = new Uint8Array(6)
  writeInt32(value, 2, marker.coordinatorEpoch)
  return buildBatch([{ key, value, timestamp }], {
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    transactional: true,
    control: true,
  })
}

/** The marker in a control batch; undefined for control records of another type. */
export function readEndTransactionMarker(batch: RecordBatch): EndTransactionMarker | BatchProblem | undefined {
  if (batch.codec !== 0) return { kind: 'invalid', message: 'compressed control batch' }
  const end = batch.at + batch.sizeInBytes
  const cursor = new RecordCursor(batch.bytes, batch.at + BATCH_HEADER_SIZE, end, batch.recordCount)
  if (!cursor.next()) return { kind: 'invalid', message: cursor.problem ?? 'control batch without a record' }
  if (cursor.keyLength < 4) return { kind: 'invalid', message: `control record with a key of ${cursor.keyLength} bytes` }
  const type = readInt16(cursor.bytes, cursor.keyAt + 2)
  if (type !== CONTROL_ABORT && type !== CONTROL_COMMIT) return undefined
  if (cursor.valueLength < 6) return { kind: 'invalid', message: `transaction marker of ${cursor.valueLength} bytes` }
  return {
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    coordinatorEpoch: readInt32(cursor.bytes, cursor.valueAt + 2),
    result: type === CONTROL_COMMIT ? 'commit' : 'abort',
  }
}
