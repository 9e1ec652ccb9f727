// Reads a partition as a consumer with isolation.level=read_committed does: up to the last stable offset, without what was aborted; or, when it is
// asked to, with all that is below the high watermark.
import {
  batchSizeAt,
  decodeRecords,
  Errors,
  fetch,
  isBatchProblem,
  readEndTransactionMarker,
  RecordBatch,
  type ResponseOf,
} from '@faultline/protocol'
import { askLeader } from './ask.ts'
import type { ClusterClient } from './cluster-client.ts'

const VERSION = 11
const ISOLATION_LEVELS = { read_uncommitted: 0, read_committed: 1 }
const MAX_BYTES = 1024 * 1024

export interface CommittedRecord {
  readonly offset: number
  /** Empty where it has none. */
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export interface CommittedRead {
  readonly records: readonly CommittedRecord[]
  /** Where to go on. */
  readonly nextOffset: number
}

type Fetched = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]

/** What there is from `offset` on, at most a megabyte; nothing when there is nothing stable yet. */
export async function readCommitted(
  client: ClusterClient,
  topic: string,
  partition: number,
  offset: number,
  abandoned: () => boolean,
  isolation: keyof typeof ISOLATION_LEVELS = 'read_committed',
): Promise<CommittedRead> {
  const wanted = { partition, fetchOffset: offset, partitionMaxBytes: MAX_BYTES }
  const request = {
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: MAX_BYTES,
    isolationLevel: ISOLATION_LEVELS[isolation],
    sessionEpoch: -1,
    topics: [{ topic, partitions: [wanted] }],
  }
  const fetchedOf = (r: ResponseOf<typeof fetch>) => r.responses[0]!.partitions[0]!
  const errorOf = (r: ResponseOf<typeof fetch>) => r.errorCode || fetchedOf(r).errorCode
  const response = await askLeader(topic, partition, { client, api: fetch, version: VERSION, request, errorOf, abandoned })
  if (errorOf(response) !== Errors.NONE) throw new Error(`Fetch ${topic}-${partition}: error ${errorOf(response)}`)
  return committedOf(fetchedOf(response), offset)
}

/** A transaction that the answer calls aborted is that from its first offset to its producer's next abort marker. */
function committedOf({ records: bytes, abortedTransactions }: Fetched, offset: number): CommittedRead {
  const records: CommittedRecord[] = []
  const aborted = [...(abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<number>()
  let nextOffset = offset
  for (let at = 0; bytes !== null && at < bytes.length;) {
    const size = batchSizeAt(bytes, at)
    // The last batch may be cut short.
    if (typeof size !== 'number' || at + size > bytes.length) break
    const batch = new RecordBatch(bytes, at)
    at += size
    nextOffset = batch.nextOffset
    while (aborted.length > 0 && aborted[0]!.firstOffset <= batch.lastOffset) aborting.add(aborted.shift()!.producerId)
    if (batch.isControl) endOf(batch, aborting)
    else if (!batch.isTransactional || !aborting.has(batch.producerId)) collect(batch, offset, records)
  }
  return { records, nextOffset }
}

function endOf(batch: RecordBatch, aborting: Set<number>): void {
  const marker = readEndTransactionMarker(batch)
  if (marker && isBatchProblem(marker)) throw new Error(`marker at ${batch.baseOffset}: ${marker.message}`)
  if (marker?.result === 'abort') aborting.delete(batch.producerId)
}

function collect(batch: RecordBatch, from: number, into: CommittedRecord[]): void {
  const decoded = decodeRecords(batch)
  if (isBatchProblem(decoded)) throw new Error(`batch at ${batch.baseOffset}: ${decoded.message}`)
  const none = new Uint8Array(0)
  for (const { offset, key, value } of decoded) if (offset >= from) into.push({ offset, key: key ?? none, value: value ?? none })
}
