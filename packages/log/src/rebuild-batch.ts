// A produced batch built anew: with the codec that the topic wants, or with offsets in order. Most batches never come here.
import { Errors, buildBatch, decodeRecords, isBatchProblem, type CodecId, type RecordBatch } from '@faultline/protocol'
import { checkRebuiltSize, type AppendRefusal } from './append-checks.ts'
import type { CompressionType, LogConfig } from './log-config.ts'

const CODECS: Readonly<Record<Exclude<CompressionType, 'producer'>, CodecId>> = {
  uncompressed: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
}

/** Undefined when the batch can stay as it is. Control batches always can. */
export function rebuildBatch(
  batch: RecordBatch,
  config: LogConfig,
  offsetsInOrder: boolean,
): Uint8Array | AppendRefusal | undefined {
  const codec = config.compressionType === 'producer' ? batch.codec : CODECS[config.compressionType]
  if (batch.isControl || (codec === batch.codec && offsetsInOrder)) return undefined
  const records = decodeRecords(batch)
  if (isBatchProblem(records)) return { error: Errors.CORRUPT_MESSAGE, message: records.message }
  const bytes = buildBatch([...records], {
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    transactional: batch.isTransactional,
    codec,
  })
  return checkRebuiltSize(bytes, config) ?? bytes
}
