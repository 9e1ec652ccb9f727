// The groups and offsets of one partition of __consumer_offsets. Here is what changes by replay; the APIs and timers are beside it.
import {
  type ConsumerGroupRecord,
  decodeConsumerGroupRecord,
  decodeGroupMetadataValue,
  decodeGroupRecordKey,
  decodeOffsetCommitValue,
  NO_PRODUCER_ID,
  type OffsetCommitKey,
} from '@faultline/protocol'
import { ConsumerGroup } from '../consumer-group/consumer-group.ts'
import { replayInto } from '../consumer-group/consumer-replay.ts'
import { beginConsumerSessions } from '../consumer-group/member-timers.ts'
import type { Deadline } from '../runtime/deadline.ts'
import type { CoordinatorRecord, ShardContext, ShardState } from '../runtime/ports.ts'
import { ClassicGroup } from './classic-group.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import type { GroupConfig, Topics } from './config.ts'
import { expireOffsets } from './expiry.ts'
import { expireJoin, expireSync } from './rebalance.ts'
import { beginSessions, expireSession } from './sessions.ts'
import { TransactionalOffsets } from './transactional-offsets.ts'

export class GroupShard implements ShardState {
  readonly context: ShardContext
  readonly config: GroupConfig
  readonly topics: Topics
  /** Classic and simple ones. An id is in one of both. */
  readonly groups = new Map<string, ClassicGroup>()
  readonly consumerGroups = new Map<string, ConsumerGroup>()
  readonly offsets = new CommittedOffsets()
  readonly transactionalOffsets = new TransactionalOffsets()
  /** Of the metadata, when a topic was last created. */
  newTopicsVersion = -1
  readonly #expiry: Deadline

  constructor(context: ShardContext, config: GroupConfig, topics: Topics) {
    this.context = context
    this.config = config
    this.topics = topics
    this.#expiry = context.deadline(() => this.#expire())
  }

  begin(): void {
    this.newTopicsVersion = this.topics.version()
    beginSessions(this)
    beginConsumerSessions(this)
    this.#expiry.set(this.config.retentionCheckMs)
  }

  #expire(): void {
    expireOffsets(this)
    this.#expiry.set(this.config.retentionCheckMs)
  }

  replay({ key, value }: CoordinatorRecord, producerId: number): void {
    const decoded = decodeGroupRecordKey(key)
    switch (decoded.type) {
      case 'OffsetCommit':
        return producerId === NO_PRODUCER_ID
          ? this.#replayOffset(decoded.key, value)
          : this.#replayTransactionalOffset(decoded.key, value, producerId)
      case 'GroupMetadata':
        return this.#replayGroup(decoded.key.group, value)
      case 'unknown': {
        const record = decodeConsumerGroupRecord(key, value)
        if (record) this.#replayConsumerGroup(record)
      }
    }
  }

  /**
   * Offsets without a group's record are those of a simple group, whose consumers assign partitions themselves. It is there until its
   * tombstone, even without offsets.
   */
  #replayOffset({ group, topic, partition }: OffsetCommitKey, value: Uint8Array | null): void {
    if (value !== null) {
      this.offsets.set(group, topic, partition, decodeOffsetCommitValue(value))
      this.transactionalOffsets.supersede(group, topic, partition)
      this.#keepSimpleGroup(group)
    } else {
      this.offsets.delete(group, topic, partition)
      this.transactionalOffsets.forget(group, topic, partition)
    }
  }

  #replayTransactionalOffset({ group, topic, partition }: OffsetCommitKey, value: Uint8Array | null, producerId: number): void {
    if (value !== null) {
      this.transactionalOffsets.add(producerId, group, topic, partition, decodeOffsetCommitValue(value))
      this.#keepSimpleGroup(group)
    } else this.transactionalOffsets.delete(producerId, group, topic, partition)
  }

  endTransaction(producerId: number, committed: boolean): void {
    this.transactionalOffsets.end(producerId, committed, this.offsets)
  }

  #replayGroup(id: string, value: Uint8Array | null): void {
    if (value !== null) {
      const decoded = decodeGroupMetadataValue(value)
      this.#dropConsumerGroup(id)
      return this.#group(id).adopt(decoded)
    }
    this.#dropClassicGroup(id)
    this.#keepSimpleGroup(id)
  }

  /** A tombstone of what is not there says nothing. */
  #replayConsumerGroup(record: ConsumerGroupRecord): void {
    const id = record.key.groupId
    const known = this.consumerGroups.get(id)
    if (!known && record.value === null) return
    const group = known ?? new ConsumerGroup(id)
    const isGone = replayInto(group, record)
    if (!known) {
      this.#dropClassicGroup(id)
      this.consumerGroups.set(id, group)
    }
    if (!isGone) return
    this.#dropConsumerGroup(id)
    this.#keepSimpleGroup(id)
  }

  /** Positions alone make a group, where there is no other. */
  #keepSimpleGroup(id: string): void {
    const hasOffsets = this.offsets.has(id) || this.transactionalOffsets.hasGroup(id)
    if (hasOffsets && !this.consumerGroups.has(id)) this.#group(id)
  }

  #dropClassicGroup(id: string): void {
    this.groups.get(id)?.dispose()
    this.groups.delete(id)
  }

  #dropConsumerGroup(id: string): void {
    this.consumerGroups.get(id)?.dispose()
    this.consumerGroups.delete(id)
  }

  #group(id: string): ClassicGroup {
    let group = this.groups.get(id)
    if (group) return group
    const { context } = this
    group = new ClassicGroup(id, {
      session: (memberId) => context.deadline(() => expireSession(this, id, memberId)),
      join: () => context.deadline(() => expireJoin(this, id)),
      sync: () => context.deadline(() => expireSync(this, id)),
    })
    this.groups.set(id, group)
    return group
  }
}
