// The partitions that this broker hosts: created, led, followed and deleted as the metadata log says.
import { type Clock, DiskError, type EventSink, type PeerTransport, type Timer } from '@faultline/base'
import {
  type ClusterImage,
  effectiveMinIsr,
  NO_LEADER,
  type StaticConfigs,
  type TopicState,
  serverNumber,
} from '@faultline/controller'
import type { ArmedFaults } from '@faultline/fault'
import type { LogDirectory, PartitionLog } from '@faultline/log'
import type { ControllerChannel } from '../controller-channel.ts'
import { ReplicationCounts } from '../metrics/replica-metrics.ts'
import { TopicMetrics } from '../metrics/topic-metrics.ts'
import { AlterPartitionQueue } from './alter-partition-queue.ts'
import { logConfigOf } from './log-config.ts'
import { Partition, type PartitionContext } from './partition.ts'
import { ReplicaFetcher, type FetcherContext } from './replica-fetcher.ts'
import { serveReplication } from './replication-source.ts'

export interface ReplicasOptions {
  readonly brokerId: number
  readonly brokerEpoch: () => number
  readonly clock: Clock
  readonly events: EventSink
  readonly faults: ArmedFaults
  readonly transport: PeerTransport
  readonly channel: ControllerChannel
  readonly statics: StaticConfigs
  readonly logs: LogDirectory
  /** A log could not be made. */
  readonly onDiskError: (error: DiskError) => void
  readonly image: () => ClusterImage
  /** A partition begins or ends to be led here, or is led in a new epoch: coordinators load and unload. */
  readonly onLeadership: (partition: Partition, leads: boolean) => void
}

/** How late a log may be flushed by its flush.ms. */
const FLUSH_CHECK_MS = 1000

export class Replicas {
  readonly counts = new ReplicationCounts()
  readonly topics = new TopicMetrics()
  readonly #o: ReplicasOptions
  readonly #partitions = new Map<string, Partition>()
  readonly #fetchers = new Map<number, ReplicaFetcher>()
  readonly #context: PartitionContext
  readonly #fetcherContext: FetcherContext
  readonly #queue: AlterPartitionQueue
  readonly #timers = new Set<Timer>()

  constructor(options: ReplicasOptions) {
    this.#o = options
    const { statics, clock, channel, brokerId } = options
    this.#queue = new AlterPartitionQueue(channel, clock, brokerId, options.brokerEpoch, this.counts)
    const emit = (name: string, p: Partition, fields: Record<string, number | string | readonly number[]>) =>
      options.events.emit(name, { topic: p.topic, partition: p.index, ...fields })
    this.#context = {
      brokerId,
      clock,
      lagMaxMs: serverNumber(statics, 'replica.lag.time.max.ms'),
      counts: this.counts,
      traffic: (topic) => this.topics.of(topic),
      broker: (id) => options.image().brokers.get(id),
      minIsr: (topic, replicas) => effectiveMinIsr(options.image(), statics, topic, replicas),
      proposeIsr: (partition, isr) => this.#propose(partition, isr),
      emit,
      moved: () => {
        if (options.faults.conditionsArmed) options.faults.onChanged('partition')
      },
    }
    this.#fetcherContext = {
      brokerId,
      brokerEpoch: options.brokerEpoch,
      clock,
      transport: options.transport,
      faults: options.faults,
      counts: this.counts,
      emit,
      settings: {
        maxWaitMs: serverNumber(statics, 'replica.fetch.wait.max.ms'),
        minBytes: serverNumber(statics, 'replica.fetch.min.bytes'),
        maxBytes: serverNumber(statics, 'replica.fetch.response.max.bytes'),
        partitionMaxBytes: serverNumber(statics, 'replica.fetch.max.bytes'),
        backoffMs: serverNumber(statics, 'replica.fetch.backoff.ms'),
      },
    }
    serveReplication({
      clock,
      counts: this.counts,
      transport: options.transport,
      partition: (topicId, index) => this.byId(topicId, index),
      knowsTopic: (topicId) => options.image().topicsById.has(topicId),
    })
    this.#every(serverNumber(statics, 'replica.lag.time.max.ms') / 2, () => this.#shrinkIsrs())
    this.#every(serverNumber(statics, 'replica.high.watermark.checkpoint.interval.ms'), () => options.logs.writeCheckpoints())
    this.#every(serverNumber(statics, 'log.retention.check.interval.ms'), () => this.#deleteExpired())
    this.#every(Math.min(serverNumber(statics, 'log.flush.scheduler.interval.ms'), FLUSH_CHECK_MS), () => this.#flushDue())
  }

  #propose(partition: Partition, isr: readonly number[]): void {
    const { faults } = this.#o
    this.#queue.propose(partition, isr)
    if (faults.pointsArmed) faults.point('isr.alter-sent', { topic: partition.topic, partition: partition.index })
  }

  byId(topicId: string, index: number): Partition | undefined {
    return this.#partitions.get(`${topicId}:${index}`)
  }

  byName(topic: string, index: number): Partition | undefined {
    const id = this.#o.image().topicsByName.get(topic)?.id
    return id === undefined ? undefined : this.byId(id, index)
  }

  fetchers(): Iterable<ReplicaFetcher> {
    return this.#fetchers.values()
  }

  all(): Iterable<Partition> {
    return this.#partitions.values()
  }

  /** Brings every replica of these topics here into line with the image. Topics that are gone take their logs with them. */
  applyTopics(topicIds: Iterable<string>): void {
    const image = this.#o.image()
    for (const id of topicIds) {
      const topic = image.topicsById.get(id)
      if (topic) for (const state of topic.partitions) this.#apply(topic, state.partition)
      else this.#deleteTopic(id)
    }
  }

  /** After a snapshot, or at start: everything, and what is on disk but no longer in the image goes. */
  applyAll(): void {
    const image = this.#o.image()
    const known = new Set([...image.topicsById.keys(), ...[...this.#partitions.values()].map((p) => p.topicId)])
    this.applyTopics(known)
    for (const stray of this.#o.logs.partitions) if (!image.topicsById.has(stray.topicId)) this.#o.logs.remove(stray)
  }

  applyConfigs(topics: Iterable<string>): void {
    for (const name of topics) {
      const topic = this.#o.image().topicsByName.get(name)
      if (!topic) continue
      const config = logConfigOf(this.#o.image(), this.#o.statics, name)
      for (const { partition } of topic.partitions) {
        const replica = this.byId(topic.id, partition)
        replica?.log.updateConfig(config)
        replica?.advanceHighWatermark()
      }
    }
  }

  /** The eligibility of brokers changed: a high watermark may no longer wait for one of them. */
  applyBrokers(): void {
    for (const partition of this.#partitions.values()) partition.advanceHighWatermark()
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    for (const fetcher of this.#fetchers.values()) fetcher.stop()
    for (const partition of this.#partitions.values()) partition.stop()
  }

  #apply(topic: TopicState, index: number): void {
    const state = topic.partitions[index]!
    const key = `${topic.id}:${index}`
    let partition = this.#partitions.get(key)
    if (!state.replicas.includes(this.#o.brokerId)) {
      if (partition) this.#delete(key, partition)
      return
    }
    if (!partition) {
      const log = this.#create(topic, index)
      if (!log) return
      partition = new Partition(this.#context, topic.name, topic.id, log, state)
      this.#partitions.set(key, partition)
    }
    const led = partition.leads
    if (!partition.apply(state)) return
    if (led || partition.leads) this.#o.onLeadership(partition, partition.leads)
    this.#follow(partition)
  }

  #create(topic: TopicState, index: number): PartitionLog | undefined {
    try {
      return this.#o.logs.create(topic.name, index, topic.id, logConfigOf(this.#o.image(), this.#o.statics, topic.name))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#o.onDiskError(error)
      return undefined
    }
  }

  /** A new epoch: away from whoever it was fetched from, to whoever leads now. */
  #follow(partition: Partition): void {
    for (const fetcher of this.#fetchers.values()) fetcher.remove(partition)
    if (partition.leads || partition.leader === NO_LEADER) return
    let fetcher = this.#fetchers.get(partition.leader)
    if (!fetcher) {
      fetcher = new ReplicaFetcher(partition.leader, this.#fetcherContext)
      this.#fetchers.set(partition.leader, fetcher)
    }
    fetcher.add(partition)
  }

  #deleteTopic(topicId: string): void {
    for (const [key, partition] of this.#partitions) {
      if (partition.topicId !== topicId) continue
      this.#delete(key, partition)
      this.topics.forget(partition.topic)
    }
  }

  #delete(key: string, partition: Partition): void {
    const led = partition.leads
    for (const fetcher of this.#fetchers.values()) fetcher.remove(partition)
    this.#partitions.delete(key)
    partition.stop()
    if (led) this.#o.onLeadership(partition, false)
    this.#o.logs.remove(partition.log)
  }

  #shrinkIsrs(): void {
    for (const partition of this.#partitions.values()) partition.shrinkIsr()
  }

  #deleteExpired(): void {
    const now = this.#o.clock.wall()
    for (const { log } of this.#partitions.values()) {
      log.deleteExpired(now)
      log.expireProducers(now)
    }
    this.#context.moved()
  }

  #flushDue(): void {
    const now = this.#o.clock.wall()
    for (const { log } of this.#partitions.values()) log.flushIfDue(now)
  }

  #every(ms: number, run: () => void): void {
    const timer = this.#o.clock.after(ms, () => {
      this.#timers.delete(timer)
      run()
      this.#every(ms, run)
    })
    this.#timers.add(timer)
  }
}
