// Produce: each batch goes to its partition's log as it stands; acks=all answers when the high watermark has passed it.
import { BATCH_HEADER_SIZE, Errors, produce, RecordBatch, type RequestOf, type ResponseInput } from '@faultline/protocol'
import type { VerificationGuard } from '@faultline/log'
import type { Broker } from '../broker.ts'
import { DelayedProduce, type ProducedPartition } from '../delayed-produce.ts'
import type { Partition } from '../replica/partition.ts'
import { isInternalTopic } from './03-metadata.ts'
import { type ProduceVerdict, type TransactionalBatch, verifyProduce } from '../transaction/verify-produce.ts'
import { CLOSE_CONNECTION, handler, NO_RESPONSE, type RequestContext } from './handler.ts'

type Request = RequestOf<typeof produce>
type TopicData = Request['topicData'][number]
type PartitionData = TopicData['partitionData'][number]
type PartitionResponse = NonNullable<
  NonNullable<ResponseInput<typeof produce>['responses']>[number]['partitionResponses']
>[number]

/** Batches of a transaction from a client without a transactional id; answered for the whole request. */
const ADMIN_CLIENT_ID = '__admin_client'

export const produceHandler = handler(produce, (request, context) => {
  const { broker, version } = context
  const topics = request.topicData.map((topic) => ({ topic, ...resolve(broker, topic, version) }))
  const refused = refusesAll(request)
  const { transactionalId } = request
  const batches = refused === Errors.NONE && transactionalId !== null ? transactionalBatches(topics) : []
  const verdict = batches.length > 0 ? verifyProduce(broker, transactionalId!, version, batches) : undefined
  if (!verdict) return appendAll(request, context, topics, refused, undefined)
  return verdict.then((v) => appendAll(request, context, topics, refused, v))
})

interface ResolvedTopic {
  readonly topic: TopicData
  readonly name?: string
  readonly error: number
}

function transactionalBatches(topics: readonly ResolvedTopic[]): TransactionalBatch[] {
  return topics.flatMap(({ topic, name }) =>
    topic.partitionData.flatMap(({ index, records }) => {
      const batch = firstBatch(records)
      return batch?.isTransactional && name !== undefined ? [{ topic: name, index, batch }] : []
    }),
  )
}

function appendAll(
  request: Request,
  context: RequestContext,
  topics: readonly ResolvedTopic[],
  refused: number,
  verdict: ProduceVerdict | undefined,
) {
  const waiting: { partition: Partition; end: number; response: PartitionResponse }[] = []
  const responses = topics.map(({ topic, name, error }) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitionResponses: topic.partitionData.map((data) => {
      const early = refused || error || verdict?.error(name!, data.index)
      return early
        ? failure(data.index, early, explain(early, refused !== Errors.NONE))
        : append(request.acks, context, name!, data, waiting, verdict?.guard(name!, data.index))
    }),
  }))
  if (request.acks === 0) {
    const failed = responses.some((t) => t.partitionResponses.some((p) => p.errorCode !== Errors.NONE))
    return failed ? CLOSE_CONNECTION : NO_RESPONSE
  }
  const partitions = responses.flatMap((t) => t.partitionResponses)
  const answer = () => ({ responses, nodeEndpoints: leaders(context, partitions) })
  const written = () => {
    if (request.acks !== -1 || waiting.length === 0) return answer()
    return replicated(context, waiting, request.timeoutMs).then(answer)
  }
  const late = lateWrites(waiting)
  return late ? Promise.all(late).then(written) : written()
}

/** What disks have not finished; undefined where they are not late. */
function lateWrites(waiting: readonly { readonly partition: Partition }[]): Promise<void>[] | undefined {
  let late: Promise<void>[] | undefined
  for (const { partition } of waiting) if (partition.whenWritten) (late ??= []).push(partition.whenWritten)
  return late
}

/** When the high watermark has passed it all, or time is up: then the responses say so. */
async function replicated(context: RequestContext, produced: readonly ProducedPartition[], timeoutMs: number): Promise<void> {
  const { clock, faults } = context.broker
  const delayed = new DelayedProduce(clock, produced, timeoutMs)
  context.onClose(() => delayed.abandon())
  context.letNextIn()
  await delayed.done
  if (!faults.pointsArmed) return
  for (const { partition } of produced) faults.point('produce.replicated', { topic: partition.topic, partition: partition.index })
}

function explain(error: number, wholeRequest: boolean): string | undefined {
  if (wholeRequest) return error === Errors.INVALID_PRODUCER_ID_MAPPING ? 'Batches of more than one producer.' : undefined
  return UNVERIFIED.get(error)
}

const UNVERIFIED: ReadonlyMap<number, string> = new Map([
  [Errors.INVALID_TXN_STATE, 'The partition is not part of the transaction.'],
  [Errors.NOT_ENOUGH_REPLICAS, "The transaction's coordinator could not be asked whether the partition is part of it."],
])

function resolve(broker: Broker, topic: TopicData, version: number): { name?: string; error: number } {
  if (version < 13) return { name: topic.name, error: Errors.NONE }
  const known = broker.image.topicsById.get(topic.topicId)
  return known ? { name: known.name, error: Errors.NONE } : { error: Errors.UNKNOWN_TOPIC_ID }
}

/** What fails every partition alike: a transactional batch without a transactional id, two producers in one request, odd acks. */
function refusesAll(request: Request): number {
  if (request.acks < -1 || request.acks > 1) return Errors.INVALID_REQUIRED_ACKS
  let producerId = -1
  for (const { partitionData } of request.topicData) {
    for (const { records } of partitionData) {
      const batch = firstBatch(records)
      if (!batch) continue
      if (batch.isTransactional && request.transactionalId === null) return Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      if (batch.producerId < 0) continue
      if (producerId >= 0 && producerId !== batch.producerId) return Errors.INVALID_PRODUCER_ID_MAPPING
      producerId = batch.producerId
    }
  }
  return Errors.NONE
}

function append(
  acks: number,
  context: RequestContext,
  topic: string,
  { index, records }: PartitionData,
  waiting: { partition: Partition; end: number; response: PartitionResponse }[],
  guard: VerificationGuard | undefined,
): PartitionResponse {
  const { broker, version } = context
  if (isInternalTopic(topic) && context.clientId !== ADMIN_CLIENT_ID) return failure(index, Errors.INVALID_TOPIC_EXCEPTION)
  const partition = broker.replicas.byName(topic, index)
  const elsewhere = () => ({
    ...failure(index, Errors.NOT_LEADER_OR_FOLLOWER),
    ...(version >= CURRENT_LEADER ? { currentLeader: broker.leaderOf(topic, index)! } : {}),
  })
  if (!partition) return broker.hasPartition(topic, index) ? elsewhere() : failure(index, Errors.UNKNOWN_TOPIC_OR_PARTITION)
  if (records === null || records.length === 0) return failure(index, Errors.INVALID_RECORD, 'Produce request has no records.')
  if (version < 7 && firstBatch(records)?.codec === ZSTD) return failure(index, Errors.UNSUPPORTED_COMPRESSION_TYPE)
  const result = partition.append(records, acks, 'client', guard && { guard })
  if (result.error === Errors.NOT_LEADER_OR_FOLLOWER) return elsewhere()
  if (result.error !== Errors.NONE) {
    if (BAD_BATCH.has(result.error)) broker.metrics.refusedBatches++
    const { recordErrors = [] } = result
    return {
      // Kafka has words for records that it rejects, and for nothing else.
      ...failure(index, result.error, recordErrors.length > 0 ? result.message : undefined),
      logStartOffset: NOT_EVEN_LOOKED_AT.has(result.error) ? -1 : partition.log.logStartOffset,
      recordErrors: recordErrors.map((r) => ({ batchIndex: r.batchIndex, batchIndexErrorMessage: r.message })),
    }
  }
  if (broker.faults.pointsArmed) broker.faults.point('produce.appended', { topic, partition: index })
  const response: PartitionResponse = {
    index,
    errorCode: Errors.NONE,
    baseOffset: result.firstOffset,
    logAppendTimeMs: result.logAppendTime,
    logStartOffset: result.logStartOffset,
  }
  waiting.push({ partition, end: result.lastOffset + 1, response })
  return response
}

const ZSTD = 4

/** What is wrong with the batch itself, not with where it is sent. */
const BAD_BATCH: ReadonlySet<number> = new Set([
  Errors.CORRUPT_MESSAGE,
  Errors.INVALID_RECORD,
  Errors.INVALID_TIMESTAMP,
  Errors.MESSAGE_TOO_LARGE,
  Errors.RECORD_LIST_TOO_LARGE,
])

/** From this version a partition that is led elsewhere says where (KIP-951). */
const CURRENT_LEADER = 10

/** The answer does not say where the log begins. */
const NOT_EVEN_LOOKED_AT: ReadonlySet<number> = new Set([
  Errors.CORRUPT_MESSAGE,
  Errors.MESSAGE_TOO_LARGE,
  Errors.RECORD_LIST_TOO_LARGE,
  Errors.KAFKA_STORAGE_ERROR,
])

function firstBatch(records: Uint8Array | null): RecordBatch | undefined {
  return records !== null && records.length >= BATCH_HEADER_SIZE ? new RecordBatch(records) : undefined
}

function failure(index: number, errorCode: number, errorMessage: string | undefined = undefined): PartitionResponse {
  return { index, errorCode, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, errorMessage: errorMessage ?? null }
}

/** Where the leaders are that this broker named (KIP-951). */
function leaders({ broker, listener, version }: RequestContext, partitions: readonly PartitionResponse[]) {
  if (version < CURRENT_LEADER) return []
  const ids = new Set(
    partitions.flatMap((p) => (p.currentLeader && p.currentLeader.leaderId! >= 0 ? [p.currentLeader.leaderId!] : [])),
  )
  return broker.endpointsOf(ids, listener)
}
