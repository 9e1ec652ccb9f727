// Fetch: consumers read up to the high watermark, or up to the last stable offset. Replicas of this cluster have a stream of their own.
import { serverNumber } from '@faultline/controller'
import { Errors, fetch, type RequestOf, type ResponseInput } from '@faultline/protocol'
import { DelayedFetch } from '../fetch/delayed-fetch.ts'
import { failed, type FetchedPartition, type FetchPartition, type FetchScope, readPartition } from '../fetch/fetch-partition.ts'
import { handler, type RequestContext } from './handler.ts'

type Request = RequestOf<typeof fetch>
type Response = ResponseInput<typeof fetch>
type TopicData = NonNullable<Response['responses']>[number]
type PartitionData = NonNullable<TopicData['partitions']>[number]

/** From this version a replica is told where its log diverges (KIP-595). */
const DIVERGING_EPOCH = 12

/** From this version a topic is its id (KIP-516). */
const TOPIC_IDS = 13

/** From this version a partition that is elsewhere says where (KIP-951). */
const CURRENT_LEADER = 16

export const fetchHandler = handler(fetch, async (request, context): Promise<Response> => {
  const { broker, version } = context
  const usesIds = version >= TOPIC_IDS
  const nameOf = (topic: Request['topics'][number]) =>
    usesIds ? (broker.image.topicsById.get(topic.topicId)?.name ?? '') : topic.topic
  const plan = broker.fetchSessions.plan(request, usesIds, nameOf)
  if (plan.error !== Errors.NONE) return { errorCode: plan.error, sessionId: 0, responses: [] }
  const scope = scopeOf(request, context)
  const maxBytes = Math.min(request.maxBytes, serverNumber(broker.statics, 'fetch.max.bytes'))
  const read = () => readAll(scope, plan.partitions, maxBytes, usesIds)
  const isEnough = (results: readonly FetchedPartition[]) => enough(results, request.minBytes)
  let results = read()
  if (request.maxWaitMs > 0 && plan.partitions.length > 0 && !isEnough(results)) {
    const partitions = plan.partitions.flatMap((p) => broker.replicas.byName(p.topic, p.index) ?? [])
    const delayed = new DelayedFetch(broker.clock, partitions, request.maxWaitMs, read, isEnough)
    context.onClose(() => delayed.abandon())
    results = [...(await delayed.done)]
  }
  const lateMs = results.reduce((latest, r) => Math.max(latest, r.lateMs), 0)
  if (lateMs > 0) await new Promise<void>((read) => broker.clock.after(lateMs, read))
  return write(context, plan.sessionId, plan.select(results))
})

function scopeOf(request: Request, { broker, version }: RequestContext): FetchScope {
  const replicaId = version >= 15 ? request.replicaState.replicaId : request.replicaId
  return {
    broker,
    isolation: request.isolationLevel === 1 ? 'read_committed' : 'read_uncommitted',
    leaderOnly: replicaId >= 0 || (replicaId === -1 && version < 11),
    toLogEnd: replicaId >= 0 || replicaId === -2,
    divergence: version >= DIVERGING_EPOCH,
  }
}

function readAll(scope: FetchScope, wanted: readonly FetchPartition[], maxBytes: number, usesIds: boolean): FetchedPartition[] {
  let left = maxBytes
  let first = true
  return wanted.map((w) => {
    if (usesIds && w.topic === '') return failed(w, Errors.UNKNOWN_TOPIC_ID)
    const result = readPartition(scope, w, left, first)
    if (result.bytes > 0) first = false
    left = Math.max(0, left - result.bytes)
    return result
  })
}

function enough(results: readonly FetchedPartition[], minBytes: number): boolean {
  let bytes = 0
  for (const result of results) {
    if (result.error !== Errors.NONE || result.diverging) return true
    bytes += result.bytes
  }
  return bytes >= minBytes
}

function write({ broker, listener, version }: RequestContext, sessionId: number, results: readonly FetchedPartition[]): Response {
  const topics = new Map<string, TopicData & { partitions: PartitionData[] }>()
  const leaders = new Set<number>()
  for (const result of results) {
    const { topic, topicId } = result.wanted
    const key = `${topicId}:${topic}`
    let entry = topics.get(key)
    if (!entry) topics.set(key, (entry = { topic, topicId, partitions: [] }))
    entry.partitions.push(partitionData(result, version))
    if (result.bytes > 0) broker.replicas.topics.of(result.wanted.topic).bytesOut += result.bytes
    if (result.leader && result.leader.leaderId >= 0) leaders.add(result.leader.leaderId)
  }
  const nodeEndpoints = version >= CURRENT_LEADER ? broker.endpointsOf(leaders, listener) : []
  return { errorCode: Errors.NONE, sessionId, responses: [...topics.values()], nodeEndpoints }
}

function partitionData(result: FetchedPartition, version: number): PartitionData {
  return {
    partitionIndex: result.wanted.index,
    errorCode: result.error,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    abortedTransactions: result.aborted && [...result.aborted],
    records: [...result.chunks],
    ...(result.diverging ? { divergingEpoch: result.diverging } : {}),
    ...(result.leader && version >= CURRENT_LEADER ? { currentLeader: result.leader } : {}),
  }
}
