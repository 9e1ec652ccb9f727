// One replica of one partition, as leader or as follower: leader epochs, the high watermark over the maximal ISR, ISR shrink and expand.
import { assert, type Clock } from '@faultline/base'
import { isActive, type BrokerState, NO_LEADER, type PartitionState } from '@faultline/controller'
import type { AppendOptions, AppendResult, PartitionLog } from '@faultline/log'
import { Errors } from '@faultline/protocol'
import type { ReplicationCounts } from '../metrics/replica-metrics.ts'
import type { TopicTraffic } from '../metrics/topic-metrics.ts'
import { FollowerState } from './follower-state.ts'
import { type IsrState, maximalIsr, settledIsr } from './isr-state.ts'
import { LateWrites } from './late-writes.ts'
import { Watchers } from './watchers.ts'

/** What this replica refuses before its log is asked. */
export interface PartitionRefusal {
  readonly error: typeof Errors.NOT_LEADER_OR_FOLLOWER | typeof Errors.NOT_ENOUGH_REPLICAS
  readonly message: string
  readonly recordErrors?: never
}

/** What a partition needs to know of the cluster around it. */
export interface PartitionContext {
  readonly brokerId: number
  readonly clock: Clock
  readonly lagMaxMs: number
  readonly counts: ReplicationCounts
  traffic(topic: string): TopicTraffic
  broker(id: number): BrokerState | undefined
  /** min.insync.replicas as it acts on this topic. */
  minIsr(topic: string, replicas: number): number
  /** Asks the controller for another ISR; the answer comes back through `isrConfirmed` or `isrRefused`. */
  proposeIsr(partition: Partition, isr: readonly number[]): void
  emit(name: string, partition: Partition, fields: Record<string, number | string | readonly number[]>): void
  /** Offsets have moved, its own or a follower's; nobody has been woken yet. */
  moved(): void
}

/** A follower's position, as one fetch tells it. */
export interface FollowerFetch {
  readonly replica: number
  readonly brokerEpoch: number
  readonly offset: number
  readonly logStartOffset: number
}

export class Partition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly log: PartitionLog
  readonly appended = new Watchers()
  readonly advanced = new Watchers()
  /** A follower's log starts later than before. */
  readonly shortened = new Watchers()
  readonly #context: PartitionContext
  readonly #traffic: TopicTraffic
  #state: PartitionState
  #leads = false
  #epochStartOffset = 0
  #isr: IsrState
  readonly #followers = new Map<number, FollowerState>()
  readonly #lateWrites: LateWrites

  constructor(context: PartitionContext, topic: string, topicId: string, log: PartitionLog, state: PartitionState) {
    this.#context = context
    this.#traffic = context.traffic(topic)
    this.#lateWrites = new LateWrites(context.clock)
    this.topic = topic
    this.topicId = topicId
    this.index = state.partition
    this.log = log
    this.#state = { ...state, leader: NO_LEADER, leaderEpoch: -1, partitionEpoch: -1 }
    this.#isr = settledIsr(state.isr)
  }

  get name(): string {
    return `${this.topic}-${this.index}`
  }

  get leads(): boolean {
    return this.#leads
  }

  get leader(): number {
    return this.#state.leader
  }

  get leaderEpoch(): number {
    return this.#state.leaderEpoch
  }

  get partitionEpoch(): number {
    return this.#state.partitionEpoch
  }

  get leaderRecoveryState(): number {
    return this.#state.leaderRecoveryState
  }

  get isr(): readonly number[] {
    return this.#isr.committed
  }

  get replicas(): readonly number[] {
    return this.#state.replicas
  }

  /** The end of the log as others see it: of what its disk has taken. */
  get writtenEndOffset(): number {
    return this.#lateWrites.writtenEnd(this.log.logEndOffset)
  }

  /** When all that was appended so far is written; undefined when it is. */
  get whenWritten(): Promise<void> | undefined {
    return this.#lateWrites.done
  }

  /** Takes over what the metadata log says. True when the leader epoch is new: a follower must start to fetch again. */
  apply(state: PartitionState): boolean {
    if (state.partitionEpoch <= this.#state.partitionEpoch) return false
    const newEpoch = state.leaderEpoch > this.#state.leaderEpoch
    const wasLeader = this.#leads
    this.#countIsr(state.isr)
    this.#state = state
    this.#leads = state.leader === this.#context.brokerId
    this.#isr = settledIsr(state.isr)
    if (newEpoch) this.#lateWrites.clear()
    if (this.#leads && newEpoch) this.#beginLeading(state)
    if (this.#leads) this.#trackFollowers(state, newEpoch)
    else this.#followers.clear()
    if (newEpoch) this.#context.moved()
    if (this.#leads) this.advanceHighWatermark()
    if (newEpoch && (wasLeader || this.#leads)) this.#wakeAll()
    return newEpoch
  }

  /** The epoch's start is known before its first record: a follower that asks finds where to truncate (KAFKA-7415). */
  #beginLeading(state: PartitionState): void {
    this.#epochStartOffset = this.log.logEndOffset
    this.log.assignEpochStart(state.leaderEpoch, this.#epochStartOffset)
    this.#context.emit('leader.begin', this, {
      epoch: state.leaderEpoch,
      logEndOffset: this.#epochStartOffset,
      highWatermark: this.log.highWatermark,
      isr: state.isr,
    })
  }

  #trackFollowers(state: PartitionState, newEpoch: boolean): void {
    const now = this.#context.clock.wall()
    for (const id of this.#followers.keys()) if (!state.replicas.includes(id)) this.#followers.delete(id)
    for (const id of state.replicas) {
      if (id === this.#context.brokerId) continue
      let follower = this.#followers.get(id)
      if (!follower) this.#followers.set(id, (follower = new FollowerState()))
      else if (!newEpoch) continue
      follower.reset(state.isr.includes(id), now)
    }
  }

  /** Everyone who waits on this partition looks again: leadership or its epoch changed, or the replica goes away. */
  #wakeAll(): void {
    this.advanced.notify()
    this.appended.notify()
    this.shortened.notify()
  }

  /** The replica leaves this broker (deleted, moved, or the node stops): whoever waits is answered. */
  stop(): void {
    this.#leads = false
    this.#followers.clear()
    this.#lateWrites.clear()
    this.#state = { ...this.#state, leader: NO_LEADER }
    this.#wakeAll()
  }

  /** Is `epoch` (-1: not told) the one this replica is in? NONE, FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH (KIP-320). */
  checkEpoch(epoch: number): number {
    if (epoch === -1 || epoch === this.leaderEpoch) return Errors.NONE
    return epoch < this.leaderEpoch ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH
  }

  /** Early in an epoch the high watermark may be behind what the last leader has shown to clients (KIP-207). */
  get highWatermarkUnknown(): boolean {
    return this.#leads && this.log.highWatermark < this.#epochStartOffset
  }

  get minIsr(): number {
    return this.#context.minIsr(this.topic, this.#state.replicas.length)
  }

  get underMinIsr(): boolean {
    return this.#isr.committed.length < this.minIsr
  }

  /** Appends one batch as the leader. `acks` -1 is refused when the ISR is too small to keep the promise. */
  append(
    batch: Uint8Array,
    acks: number,
    origin: 'client' | 'coordinator',
    options: AppendOptions = {},
  ): AppendResult | PartitionRefusal {
    this.#traffic.produceRequests++
    if (!this.#leads) return { error: Errors.NOT_LEADER_OR_FOLLOWER, message: `${this.name} is not led here` }
    if (acks === -1 && this.underMinIsr) {
      const message = `the ISR of ${this.name} is [${this.isr.join(', ')}], min.insync.replicas is ${this.minIsr}`
      return { error: Errors.NOT_ENOUGH_REPLICAS, message }
    }
    const end = this.log.logEndOffset
    const result = this.log.appendAsLeader(batch, this.leaderEpoch, origin, options)
    if (result.error !== Errors.NONE) return result
    this.#traffic.produced(result.lastOffset - result.firstOffset + 1, batch.length)
    if (result.duplicate) return result
    this.#context.moved()
    this.#lateWrites.add(end, this.log.lateMs, this.#written)
    return result
  }

  readonly #written = (): void => {
    this.advanceHighWatermark()
    this.appended.notify()
  }

  /** Nobody reads records below `offset` any more; -1 is the high watermark. Which offset it is, or why not. */
  deleteRecords(offset: number): { readonly before: number } | { readonly error: number } {
    if (!this.#leads) return { error: Errors.NOT_LEADER_OR_FOLLOWER }
    if (this.log.config.compact && !this.log.config.delete) return { error: Errors.POLICY_VIOLATION }
    const before = offset === -1 ? this.log.highWatermark : offset
    if (before < 0 || before > this.log.highWatermark) return { error: Errors.OFFSET_OUT_OF_RANGE }
    this.log.advanceLogStartOffset(before)
    return { before }
  }

  /** A follower tells where it is. Errors are those of its fetch; the leader's state changes only when there is none. */
  recordFetch(fetch: FollowerFetch): void {
    const follower = this.#followers.get(fetch.replica)
    if (!this.#leads || !follower) return
    const end = this.writtenEndOffset
    const { logEndOffset: before, logStartOffset } = follower
    follower.fetched(fetch.offset, fetch.logStartOffset, end, fetch.brokerEpoch, this.#context.clock.wall())
    if (follower.logEndOffset !== before) this.#context.moved()
    if (this.#mayJoin(fetch.replica, follower))
      this.#propose(
        [...this.#isr.committed, fetch.replica].sort((a, b) => a - b),
        'isr.expand',
      )
    if (follower.logEndOffset !== before) this.advanceHighWatermark()
    if (follower.logStartOffset !== logStartOffset) this.shortened.notify()
  }

  isReplica(id: number): boolean {
    return this.#state.replicas.includes(id)
  }

  /** Has it everything that is committed, and everything from before this epoch? (KAFKA-7128: the high watermark alone is not enough.) */
  #mayJoin(id: number, follower: FollowerState): boolean {
    if (this.#isr.proposed || this.#isr.committed.includes(id)) return false
    const caughtUp = follower.logEndOffset >= this.log.highWatermark && follower.logEndOffset >= this.#epochStartOffset
    return caughtUp && this.#isEligible(id, follower)
  }

  /** KIP-841 and KIP-903: not fenced, not stopping, and the incarnation that the controller knows. */
  #isEligible(id: number, follower: FollowerState): boolean {
    const broker = this.#context.broker(id)
    return isActive(broker) && (follower.brokerEpoch === -1 || follower.brokerEpoch === broker!.epoch)
  }

  /** Drops members that have not been caught up for replica.lag.time.max.ms. */
  shrinkIsr(): void {
    if (!this.#leads || this.#isr.proposed) return
    const now = this.#context.clock.wall()
    const end = this.writtenEndOffset
    const stays = (id: number) =>
      id === this.#context.brokerId || this.#followers.get(id)?.isCaughtUp(end, now, this.#context.lagMaxMs) === true
    const isr = this.#isr.committed.filter(stays)
    if (isr.length < this.#isr.committed.length) this.#propose(isr, 'isr.shrink')
  }

  #propose(isr: readonly number[], event: string): void {
    assert(isr.includes(this.#context.brokerId), `ISR ${isr} of ${this.name} without its leader`)
    this.#isr = { committed: this.#isr.committed, proposed: isr }
    this.#context.emit(event, this, { from: this.#isr.committed, to: isr })
    this.#context.proposeIsr(this, isr)
  }

  /** Broker epochs as their fetches told them: the controller refuses an incarnation that is gone (KIP-903). */
  isrMembers(isr: readonly number[]): { brokerId: number; brokerEpoch: number }[] {
    return isr.map((id) => ({ brokerId: id, brokerEpoch: this.#followers.get(id)?.brokerEpoch ?? -1 }))
  }

  get proposedIsr(): readonly number[] | undefined {
    return this.#isr.proposed
  }

  /** The controller has committed it. The high watermark may move at once: nobody else will say so (KAFKA-13091). */
  isrConfirmed(isr: readonly number[], leaderEpoch: number, partitionEpoch: number): void {
    if (leaderEpoch !== this.leaderEpoch || partitionEpoch <= this.#state.partitionEpoch) return
    this.#countIsr(isr)
    this.#state = { ...this.#state, isr, partitionEpoch }
    this.#isr = settledIsr(isr)
    this.advanceHighWatermark()
  }

  /** What this leader asked for has come: with the controller's answer, or before it with the metadata log. */
  #countIsr(isr: readonly number[]): void {
    const { committed, proposed } = this.#isr
    if (!proposed || isr.length !== proposed.length || !isr.every((id) => proposed.includes(id))) return
    if (isr.length < committed.length) this.#context.counts.isrShrinks++
    else this.#context.counts.isrExpands++
  }

  /** A definite refusal of this proposal: back to what is committed. */
  isrRefused(isr: readonly number[]): void {
    if (this.#isr.proposed !== isr) return
    this.#isr = settledIsr(this.#isr.committed)
    this.advanceHighWatermark()
  }

  /**
   * The smallest log end over the maximal ISR and over replicas that are about to join it. It does not move while the ISR is below its
   * minimum: what is acknowledged is on that many logs (KIP-966, KAFKA-15583).
   */
  advanceHighWatermark(): void {
    if (!this.#leads || this.underMinIsr) return
    const isr = maximalIsr(this.#isr)
    const end = this.writtenEndOffset
    const now = this.#context.clock.wall()
    let mark = end
    for (const [id, follower] of this.#followers) {
      const counts = isr.includes(id) || (follower.isCaughtUp(end, now, this.#context.lagMaxMs) && this.#isEligible(id, follower))
      if (counts && follower.logEndOffset < mark) mark = follower.logEndOffset
    }
    if (mark <= this.log.highWatermark || !this.log.updateHighWatermark(mark)) return
    this.#context.moved()
    this.advanced.notify()
  }

  /** Smallest log start over replicas whose brokers live; DeleteRecords waits for it. */
  get lowWatermark(): number {
    const live = [...this.#followers].filter(([id]) => isActive(this.#context.broker(id))).map(([, f]) => f.logStartOffset)
    return Math.min(this.log.logStartOffset, ...live)
  }

  followerProgress(): { replica: number; logEndOffset: number; lastCaughtUpMs: number }[] {
    return [...this.#followers].map(([replica, f]) => ({
      replica,
      logEndOffset: f.logEndOffset,
      lastCaughtUpMs: f.lastCaughtUpMs,
    }))
  }
}
