// What one fetch wants from one partition, and what it gets.
import type { Broker } from '../broker.ts'
import { Errors } from '@faultline/protocol'

export interface FetchPartition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly fetchOffset: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
  readonly maxBytes: number
}

export interface FetchScope {
  readonly broker: Broker
  readonly isolation: 'read_uncommitted' | 'read_committed'
  /** Clients that say where they are may read from followers (KIP-392, version 11); others only from the leader. */
  readonly leaderOnly: boolean
  /** Reads up to the log's end: replicas, and the tool that compares them. */
  readonly toLogEnd: boolean
  /** Can be told where its log parts from ours (KIP-595, version 12); one session may be continued by an older version. */
  readonly divergence: boolean
}

export interface FetchedPartition {
  readonly wanted: FetchPartition
  readonly error: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
  readonly aborted: readonly { producerId: number; firstOffset: number }[] | null
  readonly diverging: { epoch: number; endOffset: number } | undefined
  /** Until a slow disk has read it. */
  readonly lateMs: number
  /** Where the partition is led, when it is not led here. */
  readonly leader: { leaderId: number; leaderEpoch: number } | undefined
}

/** Reads what there is now, at most `limitBytes`; `first`: at least one whole batch, however large (KIP-74). */
export function readPartition(scope: FetchScope, wanted: FetchPartition, limitBytes: number, first: boolean): FetchedPartition {
  const { broker } = scope
  const elsewhere = (error: number) => ({ ...failed(wanted, error), leader: broker.leaderOf(wanted.topic, wanted.index) })
  const partition = broker.replicas.byName(wanted.topic, wanted.index)
  if (!partition) {
    const known = broker.hasPartition(wanted.topic, wanted.index)
    return known ? elsewhere(Errors.NOT_LEADER_OR_FOLLOWER) : failed(wanted, Errors.UNKNOWN_TOPIC_OR_PARTITION)
  }
  const { log } = partition
  const epochError = partition.checkEpoch(wanted.currentLeaderEpoch)
  if (epochError === Errors.FENCED_LEADER_EPOCH) return elsewhere(epochError)
  if (epochError !== Errors.NONE) return failed(wanted, epochError)
  if (scope.leaderOnly && !partition.leads) return elsewhere(Errors.NOT_LEADER_OR_FOLLOWER)
  const bound = scope.toLogEnd
    ? partition.writtenEndOffset
    : scope.isolation === 'read_committed'
      ? log.lastStableOffset
      : log.highWatermark
  const state = {
    wanted,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    leader: undefined,
  }
  const nothing = { chunks: [], bytes: 0, aborted: null, diverging: undefined, lateMs: 0 }
  const diverging = scope.divergence ? divergence(log, wanted) : undefined
  if (diverging?.epoch === -1) return failed(wanted, Errors.OFFSET_OUT_OF_RANGE)
  if (diverging) return { ...state, ...nothing, error: Errors.NONE, diverging }
  if (wanted.fetchOffset < log.logStartOffset || wanted.fetchOffset > log.logEndOffset) {
    return { ...failed(wanted, Errors.OFFSET_OUT_OF_RANGE), logStartOffset: log.logStartOffset }
  }
  const aborted = scope.isolation === 'read_committed' ? [] : null
  if (wanted.fetchOffset >= bound) return { ...state, ...nothing, aborted, error: Errors.NONE }
  const read = log.read(wanted.fetchOffset, Math.min(limitBytes, wanted.maxBytes), bound, first)
  if ('error' in read) return failed(wanted, read.error)
  return {
    ...state,
    error: Errors.NONE,
    chunks: read.chunks,
    bytes: read.bytes,
    aborted: aborted && read.bytes > 0 ? log.abortedTransactions(wanted.fetchOffset, read.nextOffset) : aborted,
    diverging: undefined,
    lateMs: read.lateMs,
  }
}

function divergence(log: { endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } }, wanted: FetchPartition) {
  if (wanted.lastFetchedEpoch < 0) return undefined
  const end = log.endOffsetForEpoch(wanted.lastFetchedEpoch)
  if (end.epoch === -1) return end
  return end.epoch < wanted.lastFetchedEpoch || end.endOffset < wanted.fetchOffset ? end : undefined
}

export function failed(wanted: FetchPartition, error: number): FetchedPartition {
  return {
    wanted,
    error,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    chunks: [],
    bytes: 0,
    aborted: null,
    diverging: undefined,
    lateMs: 0,
    leader: undefined,
  }
}
