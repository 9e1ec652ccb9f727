// The leader's side of replication: each stream is one follower's session. A request moves that follower's positions, which may move high
// watermarks; the reply carries what is new, at once when there is something, else after the wait that the follower asked for.
import type { Clock, PeerTransport, Timer } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import {
  type MessageInput,
  type MessageStream,
  type ReplicaFetchedPartition,
  type ReplicaFetchPartition,
  type ReplicaFetchReply,
  type ReplicaFetchRequest,
  serveStream,
} from '@faultline/rpc'
import type { ReplicationCounts } from '../metrics/replica-metrics.ts'
import type { Partition } from './partition.ts'
import type { Watcher } from './watchers.ts'

type Fetched = MessageInput<ReplicaFetchedPartition>

interface Position {
  readonly request: ReplicaFetchPartition
  readonly partition: Partition | undefined
  sentHighWatermark: number
}

export interface ReplicationContext {
  readonly clock: Clock
  readonly transport: PeerTransport
  readonly counts: ReplicationCounts
  partition(topicId: string, index: number): Partition | undefined
  knowsTopic(topicId: string): boolean
}

export function serveReplication(context: ReplicationContext): void {
  serveStream(context.transport, 'replicate', (stream) => new FollowerSession(context, stream))
}

class FollowerSession implements Watcher {
  readonly #context: ReplicationContext
  readonly #stream: MessageStream<ReplicaFetchRequest, ReplicaFetchReply>
  readonly #positions = new Map<string, Position>()
  #request: ReplicaFetchRequest | undefined
  #timer: Timer | undefined

  constructor(context: ReplicationContext, stream: MessageStream<ReplicaFetchRequest, ReplicaFetchReply>) {
    this.#context = context
    this.#stream = stream
    stream.onMessage = (request) => this.#receive(request)
    stream.onClose = () => this.#end()
  }

  #receive(request: ReplicaFetchRequest): void {
    this.#request = request
    for (const { topicId, partition } of request.forgotten) this.#forget(`${topicId}:${partition}`)
    for (const position of request.partitions) this.#track(position)
    this.#recordFetches(request)
    this.#tryReply(false)
    if (this.#request) this.#timer = this.#context.clock.after(request.maxWaitMs, () => this.#tryReply(true))
  }

  #track(request: ReplicaFetchPartition): void {
    const key = `${request.topicId}:${request.partition}`
    const partition = this.#context.partition(request.topicId, request.partition)
    const old = this.#positions.get(key)
    if (old?.partition !== partition) {
      this.#forget(key)
      partition?.appended.add(this)
    }
    this.#positions.set(key, {
      request,
      partition,
      sentHighWatermark: old?.partition === partition ? (old?.sentHighWatermark ?? -1) : -1,
    })
  }

  #forget(key: string): void {
    this.#positions.get(key)?.partition?.appended.delete(this)
    this.#positions.delete(key)
  }

  /** Every request is a fetch of the whole session: partitions that are not named stand where they stood. */
  #recordFetches({ replicaId, replicaEpoch }: ReplicaFetchRequest): void {
    for (const { request, partition } of this.#positions.values()) {
      if (!partition || refusal(partition, request, replicaId) !== Errors.NONE || divergence(partition, request)) continue
      if (request.fetchOffset > partition.writtenEndOffset || request.fetchOffset < partition.log.logStartOffset) continue
      partition.recordFetch({
        replica: replicaId,
        brokerEpoch: replicaEpoch,
        offset: request.fetchOffset,
        logStartOffset: request.logStartOffset,
      })
    }
  }

  check(): void {
    if (this.#request) this.#tryReply(false)
  }

  #tryReply(timedOut: boolean): void {
    const request = this.#request
    if (!request) return
    const { partitions, bytes, urgent, lateMs } = this.#collect(request)
    if (!urgent && !timedOut) return
    this.#request = undefined
    this.#timer?.cancel()
    for (const fetched of partitions) this.#noteSent(fetched)
    this.#context.counts.bytesOut += bytes
    const reply = () => this.#stream.send({ sequence: request.sequence, partitions })
    if (lateMs > 0) this.#timer = this.#context.clock.after(lateMs, reply)
    else reply()
  }

  /** What there is to say. A high watermark alone is said, but waits for an occasion, as in Kafka. */
  #collect(request: ReplicaFetchRequest): { partitions: Fetched[]; bytes: number; urgent: boolean; lateMs: number } {
    const partitions: Fetched[] = []
    let lateMs = 0
    const late = (ms: number) => (lateMs = Math.max(lateMs, ms))
    let left = request.maxBytes
    let bytes = 0
    let urgent = request.maxWaitMs <= 0
    for (const position of this.#positions.values()) {
      const fetched = this.#read(position, request, left, bytes === 0, late)
      if (!fetched) continue
      const size = fetched.records!.reduce((sum, r) => sum + r.length, 0)
      bytes += size
      left = Math.max(0, left - size)
      if (fetched.error !== Errors.NONE || fetched.diverging) urgent = true
      partitions.push(fetched)
    }
    return { partitions, bytes, urgent: urgent || (bytes > 0 && bytes >= request.minBytes), lateMs }
  }

  #read(
    position: Position,
    session: ReplicaFetchRequest,
    left: number,
    first: boolean,
    late: (ms: number) => void,
  ): Fetched | undefined {
    if (hasNothingNew(position)) return undefined
    const { request, partition } = position
    const { fetchOffset } = request
    const error = partition ? refusal(partition, request, session.replicaId) : this.#unknown(request.topicId)
    if (!partition || error !== Errors.NONE) return { ...head(request), error, fetchOffset, records: [] }
    const { log, writtenEndOffset } = partition
    const state = {
      ...head(request),
      leaderEpoch: partition.leaderEpoch,
      highWatermark: log.highWatermark,
      logStartOffset: log.logStartOffset,
      logEndOffset: writtenEndOffset,
      fetchOffset,
    }
    const diverging = divergence(partition, request)
    if (diverging?.epoch === -1) return { ...state, error: Errors.OFFSET_OUT_OF_RANGE, records: [] }
    if (diverging)
      return { ...state, diverging: true, divergingEpoch: diverging.epoch, divergingEndOffset: diverging.endOffset, records: [] }
    if (fetchOffset < writtenEndOffset && fetchOffset >= log.logStartOffset) {
      if (left <= 0 && !first) return undefined
      const read = log.read(fetchOffset, Math.min(left, session.partitionMaxBytes), writtenEndOffset, first)
      if ('error' in read) return { ...state, error: read.error, records: [] }
      late(read.lateMs)
      return read.bytes > 0 ? { ...state, records: read.chunks } : undefined
    }
    if (fetchOffset !== writtenEndOffset) return { ...state, error: Errors.OFFSET_OUT_OF_RANGE, records: [] }
    return marksAreTold(position) ? undefined : { ...state, records: [] }
  }

  #unknown(topicId: string): number {
    return this.#context.knowsTopic(topicId) ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_ID
  }

  #noteSent(fetched: Fetched): void {
    const key = `${fetched.topicId}:${fetched.partition}`
    const position = this.#positions.get(key)
    if (!position) return
    position.sentHighWatermark = fetched.highWatermark ?? -1
    // The follower names again whatever it has to tell after an answer that moved it; until then nothing is sent twice.
    const moved = (fetched.records?.length ?? 0) > 0 || fetched.diverging || (fetched.error ?? Errors.NONE) !== Errors.NONE
    if (moved) this.#forget(key)
  }

  #end(): void {
    this.#timer?.cancel()
    this.#request = undefined
    for (const key of [...this.#positions.keys()]) this.#forget(key)
  }
}

/** Most partitions of a session, most of the time: said at once, for a session is looked through at every append. */
function hasNothingNew(position: Position): boolean {
  const { request, partition } = position
  if (!partition?.leads || request.currentLeaderEpoch !== partition.leaderEpoch) return false
  const { log } = partition
  if (request.fetchOffset !== partition.writtenEndOffset || !marksAreTold(position)) return false
  return request.lastFetchedEpoch < 0 || request.lastFetchedEpoch === log.latestEpoch
}

/** The follower knows the high watermark, and where the log starts. */
function marksAreTold({ request, partition, sentHighWatermark }: Position): boolean {
  const { highWatermark, logStartOffset } = partition!.log
  return highWatermark === sentHighWatermark && request.logStartOffset >= logStartOffset
}

function head(request: ReplicaFetchPartition) {
  return { topicId: request.topicId, partition: request.partition }
}

function refusal(partition: Partition, request: ReplicaFetchPartition, replica: number): number {
  const epoch = partition.checkEpoch(request.currentLeaderEpoch)
  if (epoch !== Errors.NONE) return epoch
  if (!partition.leads) return Errors.NOT_LEADER_OR_FOLLOWER
  return partition.isReplica(replica) ? Errors.NONE : Errors.UNKNOWN_LEADER_EPOCH
}

/** Where the follower's log parts from ours, undefined when it is a prefix of it. */
function divergence(partition: Partition, request: ReplicaFetchPartition): { epoch: number; endOffset: number } | undefined {
  if (request.lastFetchedEpoch < 0) return undefined
  const end = partition.log.endOffsetForEpoch(request.lastFetchedEpoch)
  if (end.epoch === -1 && end.endOffset === -1) return { epoch: -1, endOffset: -1 }
  const parts = end.epoch < request.lastFetchedEpoch || end.endOffset < request.fetchOffset
  return parts ? end : undefined
}
