// The follower's side of replication: one stream to one leader. It tells where each of its partitions is, appends what comes back as it
// stands, and truncates where the leader says that the logs diverge (KIP-101, KIP-279, KIP-595).
import type { ArmedFaults } from '@faultline/fault'
import { type Clock, DiskError, type PeerTransport, type Timer } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import {
  type MessageStream,
  openStream,
  type ReplicaFetchedPartition,
  type ReplicaFetchReply,
  type ReplicaFetchRequest,
} from '@faultline/rpc'
import type { ReplicationCounts } from '../metrics/replica-metrics.ts'
import type { Partition } from './partition.ts'

export interface FetcherSettings {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
  readonly backoffMs: number
}

export interface FetcherContext {
  readonly brokerId: number
  readonly brokerEpoch: () => number
  readonly clock: Clock
  readonly transport: PeerTransport
  readonly settings: FetcherSettings
  readonly faults: ArmedFaults
  readonly counts: ReplicationCounts
  emit(name: string, partition: Partition, fields: Record<string, number | string>): void
}

interface Fetching {
  readonly partition: Partition
  readonly leaderEpoch: number
  /** Where the next fetch starts; undefined while it waits after an error. */
  delayed: boolean
  /** The next pause after an error that metadata on its way will cure. */
  raceBackoffMs: number
  /** The leader knows the state as it is now: nothing to tell in the next request. */
  told: boolean
  inSession: boolean
  /** Committed records that were missing here after the leader's last answer. */
  lag: number
}

/**
 * One of the two has replayed metadata that the other has not. Kafka waits its whole fetch back-off, a second after each topic's creation;
 * waiting less changes nothing but that.
 */
const METADATA_RACES: ReadonlySet<number> = new Set([
  Errors.UNKNOWN_TOPIC_ID,
  Errors.UNKNOWN_LEADER_EPOCH,
  Errors.NOT_LEADER_OR_FOLLOWER,
])
const FIRST_RACE_BACKOFF_MS = 10

export class ReplicaFetcher {
  readonly leader: number
  readonly #context: FetcherContext
  readonly #fetching = new Map<string, Fetching>()
  readonly #forgotten = new Map<string, { topicId: string; partition: number }>()
  #stream: MessageStream<ReplicaFetchReply, ReplicaFetchRequest> | undefined
  #sequence = 0
  #inFlight = false
  #sendScheduled = false
  #reconnect: Timer | undefined
  /** A slow disk has still to take what came: nothing is told or asked before. */
  #writing: Timer | undefined
  #stopped = false

  constructor(leader: number, context: FetcherContext) {
    this.leader = leader
    this.#context = context
  }

  get size(): number {
    return this.#fetching.size
  }

  lags(): { partition: Partition; lag: number }[] {
    return [...this.#fetching.values()].map(({ partition, lag }) => ({ partition, lag }))
  }

  add(partition: Partition): void {
    const entry = {
      partition,
      leaderEpoch: partition.leaderEpoch,
      delayed: false,
      raceBackoffMs: FIRST_RACE_BACKOFF_MS,
      told: false,
      inSession: false,
      lag: 0,
    }
    this.#fetching.set(keyOf(partition), entry)
    this.#forgotten.delete(keyOf(partition))
    this.#scheduleSend()
  }

  remove(partition: Partition): void {
    if (!this.#fetching.delete(keyOf(partition))) return
    this.#forgotten.set(keyOf(partition), { topicId: partition.topicId, partition: partition.index })
    this.#scheduleSend()
  }

  stop(): void {
    this.#stopped = true
    this.#reconnect?.cancel()
    this.#writing?.cancel()
    this.#stream?.close()
    this.#fetching.clear()
  }

  /** Partitions change in bursts (one metadata batch): one request tells them all. */
  #scheduleSend(): void {
    if (this.#sendScheduled || this.#stopped) return
    this.#sendScheduled = true
    this.#context.clock.after(0, () => {
      this.#sendScheduled = false
      this.#send()
    })
  }

  #send(): void {
    if (this.#stopped || this.#inFlight || this.#reconnect || this.#writing || (this.#fetching.size === 0 && !this.#stream))
      return
    const stream = this.#stream ?? this.#open()
    const { settings } = this.#context
    const partitions = []
    for (const fetching of this.#fetching.values()) {
      if (fetching.delayed || fetching.told) continue
      partitions.push(positionOf(fetching))
      fetching.told = true
      fetching.inSession = true
    }
    this.#inFlight = true
    stream.send({
      replicaId: this.#context.brokerId,
      replicaEpoch: this.#context.brokerEpoch(),
      maxWaitMs: settings.maxWaitMs,
      minBytes: settings.minBytes,
      maxBytes: settings.maxBytes,
      partitionMaxBytes: settings.partitionMaxBytes,
      partitions,
      forgotten: [...this.#forgotten.values()],
      sequence: ++this.#sequence,
    })
    this.#forgotten.clear()
  }

  #open(): MessageStream<ReplicaFetchReply, ReplicaFetchRequest> {
    const stream = openStream(this.#context.transport, this.leader, 'replicate')
    this.#stream = stream
    for (const fetching of this.#fetching.values()) {
      fetching.told = false
      fetching.inSession = false
    }
    this.#forgotten.clear()
    stream.onMessage = (reply) => {
      if (this.#stream !== stream) return
      this.#inFlight = false
      for (const fetched of reply.partitions) this.#process(fetched)
      this.#awaitDisk(reply)
      this.#send()
    }
    stream.onClose = () => this.#closed(stream)
    return stream
  }

  #awaitDisk({ partitions }: ReplicaFetchReply): void {
    let lateMs = 0
    for (const { topicId, partition } of partitions) {
      const log = this.#fetching.get(`${topicId}:${partition}`)?.partition.log
      lateMs = Math.max(lateMs, log?.lateMs ?? 0)
    }
    if (lateMs <= 0) return
    this.#writing = this.#context.clock.after(lateMs, () => {
      this.#writing = undefined
      this.#send()
    })
  }

  #closed(stream: MessageStream<ReplicaFetchReply, ReplicaFetchRequest>): void {
    if (this.#stream !== stream) return
    this.#stream = undefined
    this.#inFlight = false
    if (this.#stopped) return
    this.#reconnect = this.#context.clock.after(this.#context.settings.backoffMs, () => {
      this.#reconnect = undefined
      this.#send()
    })
  }

  #process(fetched: ReplicaFetchedPartition): void {
    const key = `${fetched.topicId}:${fetched.partition}`
    const fetching = this.#fetching.get(key)
    // A reply to what this replica was before a new epoch, or before it was told to stop, lands nowhere.
    if (!fetching || fetching.partition.leaderEpoch !== fetching.leaderEpoch || fetching.partition.leads) return
    if (fetched.fetchOffset !== fetching.partition.log.logEndOffset && fetched.error === Errors.NONE) return
    try {
      fetching.told = this.#take(fetching, fetched)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#delay(fetching)
    }
  }

  /** True when the leader knows where this replica is without being told again. */
  #take(fetching: Fetching, fetched: ReplicaFetchedPartition): boolean {
    const { partition } = fetching
    const { log } = partition
    if (fetched.error === Errors.OFFSET_OUT_OF_RANGE) return this.#outOfRange(partition, fetched)
    if (METADATA_RACES.has(fetched.error)) return this.#delayShortly(fetching)
    if (fetched.error !== Errors.NONE) return this.#delay(fetching)
    fetching.raceBackoffMs = FIRST_RACE_BACKOFF_MS
    if (fetched.diverging) return this.#truncate(partition, fetched)
    let unchanged = true
    for (const records of fetched.records) {
      if (records.length === 0) continue
      if (log.appendAsFollower(records, fetching.leaderEpoch)) return this.#delay(fetching)
      this.#context.counts.bytesIn += records.length
      unchanged = false
    }
    fetching.lag = Math.max(0, fetched.highWatermark - log.logEndOffset)
    const moved =
      fetched.logStartOffset > log.logStartOffset && log.advanceLogStartOffset(Math.min(fetched.logStartOffset, log.logEndOffset))
    if (log.updateHighWatermark(Math.min(fetched.highWatermark, log.logEndOffset))) partition.advanced.notify()
    if (!unchanged) this.#appended(partition)
    return unchanged && !moved
  }

  #appended(partition: Partition): void {
    const { faults } = this.#context
    if (faults.pointsArmed) faults.point('replica.appended', { topic: partition.topic, partition: partition.index })
    partition.appended.notify()
  }

  /** The leader's epoch ends before ours does: what we have beyond it was never committed. */
  #truncate(partition: Partition, fetched: ReplicaFetchedPartition): false {
    const { log } = partition
    const before = log.logEndOffset
    const own = log.endOffsetForEpoch(fetched.divergingEpoch)
    const end =
      own.epoch === -1
        ? Math.min(fetched.divergingEndOffset, before)
        : Math.min(own.endOffset, own.epoch === fetched.divergingEpoch ? fetched.divergingEndOffset : before, before)
    log.truncateTo(end)
    this.#context.emit('replica.truncate', partition, {
      from: before,
      to: log.logEndOffset,
      leader: this.leader,
      epoch: fetched.leaderEpoch,
    })
    return false
  }

  /** Beyond the leader's end: truncate to it. Before its start: start over there (records were deleted). */
  #outOfRange(partition: Partition, fetched: ReplicaFetchedPartition): false {
    const { log } = partition
    const before = log.logEndOffset
    if (fetched.logEndOffset < before) log.truncateTo(fetched.logEndOffset)
    else if (fetched.logStartOffset > before) log.truncateFullyAndStartAt(fetched.logStartOffset)
    this.#context.emit('replica.truncate', partition, {
      from: before,
      to: log.logEndOffset,
      leader: this.leader,
      epoch: fetched.leaderEpoch,
    })
    return false
  }

  #delayShortly(fetching: Fetching): false {
    const { backoffMs } = this.#context.settings
    const pause = Math.min(fetching.raceBackoffMs, backoffMs)
    fetching.raceBackoffMs = pause * 2
    return this.#delay(fetching, pause)
  }

  /** Out of the session until the back-off is over; metadata that is on its way may settle it before. */
  #delay(fetching: Fetching, pauseMs = this.#context.settings.backoffMs): false {
    const { partition } = fetching
    fetching.delayed = true
    this.#forgotten.set(keyOf(partition), { topicId: partition.topicId, partition: partition.index })
    this.#context.clock.after(pauseMs, () => {
      if (this.#fetching.get(keyOf(partition)) !== fetching) return
      fetching.delayed = false
      fetching.told = false
      this.#forgotten.delete(keyOf(partition))
      this.#send()
    })
    return false
  }
}

function keyOf(partition: Partition): string {
  return `${partition.topicId}:${partition.index}`
}

function positionOf({ partition, leaderEpoch }: Fetching) {
  const { log } = partition
  return {
    topicId: partition.topicId,
    partition: partition.index,
    currentLeaderEpoch: leaderEpoch,
    fetchOffset: log.logEndOffset,
    lastFetchedEpoch: log.latestEpoch ?? -1,
    logStartOffset: log.logStartOffset,
  }
}
