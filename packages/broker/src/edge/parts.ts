// The parts that details of several requests have in common: partitions by their topics' names, errors by theirs, batches by what is in them.
import {
  batchSizeAt,
  BATCH_HEADER_SIZE,
  checkBatch,
  decodeAssignment,
  decodeRecords,
  errorName,
  Errors,
  isBatchProblem,
  MalformedError,
  RecordBatch,
  recordDigest,
} from '@faultline/protocol'

export type NameOf = (topicId: string) => string | undefined

export interface TopicNames {
  readonly name?: string | null
  readonly topic?: string
  readonly topicId?: string
}

/** By its name; by its id where newer versions leave the name out, and nobody here knows it. */
export function topicOf({ name, topic, topicId }: TopicNames, nameOf: NameOf): string {
  return name || topic || (topicId === undefined ? '' : (nameOf(topicId) ?? topicId))
}

export interface PartitionLine {
  readonly topic: string
  readonly partition: number
}

export function partitionsIn<T extends TopicNames, P>(
  topics: readonly T[],
  nameOf: NameOf,
  partitions: (topic: T) => readonly P[],
  line: (partition: P) => readonly [number, object],
): PartitionLine[] {
  return topics.flatMap((t) => {
    const topic = topicOf(t, nameOf)
    return partitions(t).map((p) => {
      const [partition, rest] = line(p)
      return { topic, partition, ...rest }
    })
  })
}

/** Nothing where there is none. */
export function error(code: number | undefined): object {
  return code === undefined || code === Errors.NONE ? {} : { error: errorName(code) }
}

/** Who wrote how many records, and what each holds. Nothing of what is no batch: that is refused. */
export function writtenIn(records: Uint8Array | null): object {
  if (records === null || checkBatch(records) !== undefined) return { records: 0, digests: [] }
  const batch = new RecordBatch(records)
  const decoded = decodeRecords(batch)
  return {
    ...(batch.hasProducerId
      ? {
          producer: batch.producerId,
          epoch: batch.producerEpoch,
          sequence: batch.baseSequence,
          transactional: batch.isTransactional,
        }
      : {}),
    records: batch.recordCount,
    digests: isBatchProblem(decoded) ? [] : Array.from(decoded, (r) => recordDigest(r.key, r.value)),
  }
}

/** From the first offset to behind the last one of whole batches; nothing where there are none. */
export function rangeOf(chunks: readonly Uint8Array[] | null | undefined): object {
  let [from, to] = [-1, -1]
  for (const chunk of chunks ?? [])
    for (let at = 0; at + BATCH_HEADER_SIZE <= chunk.length;) {
      const size = batchSizeAt(chunk, at)
      if (typeof size !== 'number') break
      const batch = new RecordBatch(chunk, at)
      if (from < 0) from = batch.baseOffset
      to = batch.nextOffset
      at += size
    }
  return from < 0 ? {} : { from, to }
}

/** What a member of a classic group was given to read; nothing where that is no consumers' business. */
export function assigned(assignment: Uint8Array | undefined): PartitionLine[] {
  if (assignment === undefined || assignment.length === 0) return []
  try {
    const { assignedPartitions } = decodeAssignment(assignment)
    return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
  } catch (error) {
    if (error instanceof MalformedError) return []
    throw error
  }
}
