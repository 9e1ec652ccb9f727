// A coordinator on a hand-driven clock and a log in memory: a test gives records, makes a call, and sees the answer and the new records.
import type { Clock, EventFields, Timer } from '@faultline/base'
import { Prng } from '@faultline/base'
import {
  decodeConsumerGroupRecord,
  decodeGroupMetadataValue,
  decodeGroupRecordKey,
  decodeOffsetCommitValue,
  encodeSubscription,
  type ErrorCode,
  Errors,
  type GroupMetadataValue,
  type joinGroup,
  type leaveGroup,
  type offsetCommit,
  type OffsetCommitValue,
  type offsetFetch,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type syncGroup,
  ZERO_UUID,
} from '@faultline/protocol'
import { GroupCoordinator } from '../src/group/group-coordinator.ts'
import type { GroupShard } from '../src/group/group-shard.ts'
import { groupRecord, offsetRecord } from '../src/group/group-records.ts'
import type {
  CoordinatorRecord,
  LoggedEnd,
  LoggedRecord,
  LogSlice,
  ShardLog,
  TransactionEnd,
  WritingTransaction,
} from '../src/runtime/ports.ts'

export class TestClock implements Clock {
  #now = 0
  #next = 0
  readonly #timers = new Map<number, { at: number; run: () => void }>()
  /** Each look at the clock takes this long. */
  lookMs = 0

  wall(): number {
    return 1_000_000 + this.#now
  }

  mono(): number {
    return (this.#now += this.lookMs)
  }

  after(delayMs: number, run: () => void): Timer {
    const id = this.#next++
    this.#timers.set(id, { at: this.#now + Math.max(0, delayMs), run })
    return { cancel: () => this.#timers.delete(id) }
  }

  get timers(): number {
    return this.#timers.size
  }

  /** Runs what is due within `ms`, in order of time. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]
      if (!due) break
      this.#timers.delete(due[0])
      this.#now = Math.max(this.#now, due[1].at)
      due[1].run()
    }
    this.#now = Math.max(this.#now, until)
  }
}

export class TestLog implements ShardLog {
  readonly startOffset = 0
  readonly entries: (LoggedRecord | LoggedEnd)[]
  highWatermark: number
  maxBatchBytes = 1_000_000
  /** Appends are refused with this. */
  refuse: ErrorCode = 0
  /** Reads fail with this. */
  broken: Exclude<ErrorCode, 0> | undefined
  /** The high watermark follows the end. */
  autoCommit = true
  readSize = 100
  onAdvance: () => void = () => {}

  constructor(records: readonly (CoordinatorRecord | LoggedEnd)[] = []) {
    this.entries = records.map((record) => ({ producerId: -1, ...record }))
    this.highWatermark = records.length
  }

  /** Without the ends of transactions. */
  get records(): LoggedRecord[] {
    return this.entries.filter((entry) => 'key' in entry)
  }

  get endOffset(): number {
    return this.entries.length
  }

  read(offset: number): LogSlice | { readonly error: Exclude<ErrorCode, 0> } {
    if (this.broken !== undefined) return { error: this.broken }
    const entries = this.entries.slice(offset, offset + this.readSize)
    return { error: 0, entries, nextOffset: offset + entries.length, lateMs: 0 }
  }

  append(records: readonly CoordinatorRecord[], transaction?: WritingTransaction): ErrorCode {
    if (records.reduce((n, r) => n + r.key.length + (r.value?.length ?? 0), 0) > this.maxBatchBytes) return 10
    const producerId = transaction?.producerId ?? -1
    return this.#write(records.map((record) => ({ ...record, producerId })))
  }

  appendEnd({ producerId, committed }: TransactionEnd): ErrorCode {
    return this.#write([{ producerId, committed }])
  }

  #write(entries: readonly (LoggedRecord | LoggedEnd)[]): ErrorCode {
    if (this.refuse !== 0) return this.refuse
    this.entries.push(...entries)
    if (this.autoCommit) this.commit()
    return 0
  }

  /** Refuses what is appended, or commits nothing. */
  disturb(random: Prng): void {
    if (random.below(2) === 0) this.refuse = Errors.NOT_ENOUGH_REPLICAS
    else this.autoCommit = false
  }

  heal(): void {
    this.refuse = 0
    this.autoCommit = true
    this.commit()
  }

  commit(offset = this.endOffset): void {
    this.highWatermark = offset
    this.onAdvance()
  }
}

export const TOPICS: ReadonlyMap<string, string> = new Map([
  ['orders', 'AAAAAAAAAAAAAAAAAAAAAQ'],
  ['payments', 'AAAAAAAAAAAAAAAAAAAAAg'],
])

export const CONFIG = {
  minSessionTimeoutMs: 6000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 3000,
  maxSize: 1000,
  maxMetadataLength: 4096,
  retentionMs: 7 * 86_400_000,
  retentionCheckMs: 600_000,
  consumer: {
    enabled: true,
    maxSize: 1000,
    assignors: ['uniform', 'range'],
    migrationPolicy: 'bidirectional',
    sessionTimeoutMs: (_group: string) => 45_000,
    heartbeatIntervalMs: (_group: string) => 5000,
    assignmentIntervalMs: (_group: string) => 1000,
  },
}

export type Config = typeof CONFIG

type Join = Partial<RequestInput<typeof joinGroup>>

export interface Logged {
  readonly group: string
  readonly topic?: string
  readonly partition?: number
  readonly type?: string
  readonly key?: unknown
  readonly value: object | null
}

/** What a promise came to, as far as it has. */
export class Call<T> {
  value: T | undefined

  constructor(promise: Promise<T>) {
    void promise.then((value) => (this.value = value))
  }

  get answered(): boolean {
    return this.value !== undefined
  }
}

export class World {
  readonly clock = new TestClock()
  readonly events: [string, EventFields][] = []
  readonly topics = new Map(TOPICS)
  /** Of each topic there is. */
  readonly partitionCounts = new Map([...TOPICS.keys()].map((name) => [name, 4]))
  metadataVersion = 0
  readonly coordinator: GroupCoordinator
  log: TestLog
  epoch = 0
  #seen: number

  constructor(records: readonly CoordinatorRecord[] = [], config: Partial<Config> = {}, Coordinator = GroupCoordinator) {
    const nameOf = (id: string) => [...this.topics].find(([, i]) => i === id)?.[0]
    this.coordinator = new Coordinator({
      clock: this.clock,
      random: new Prng(1),
      events: { emit: (name, fields) => this.events.push([name, fields]) },
      commitTimeoutMs: 5000,
      config: { ...CONFIG, ...config },
      topics: {
        idOf: (name) => this.topics.get(name),
        nameOf,
        hasPartition: (name, p) => this.topics.has(name) && p < this.partitionCounts.get(name)!,
        partitionCountOf: (name) => (this.topics.has(name) ? this.partitionCounts.get(name) : undefined),
        names: () => this.topics.keys(),
        version: () => this.metadataVersion,
      },
      partitions: () => 1,
    })
    this.log = new TestLog(records)
    this.#seen = records.length
    this.elect(this.log)
    this.clock.advance(0)
  }

  /** This broker leads from now on, with this log. Loading begins, and is over when the clock is advanced. */
  elect(log: TestLog): void {
    this.log = log
    log.onAdvance = () => this.coordinator.runtime.advanced(0)
    this.coordinator.runtime.elected(0, ++this.epoch, log)
  }

  /** Records since the last look. */
  get written(): Logged[] {
    const fresh = this.log.records.slice(this.#seen)
    this.#seen = this.log.records.length
    return fresh.map(decode)
  }

  async shard(): Promise<GroupShard> {
    return this.coordinator.runtime.run<GroupShard>(
      0,
      (shard, answer) => answer(shard),
      () => Promise.reject(new Error('no shard')) as never,
    )
  }

  join(memberId: string, options: Join = {}, version = 9, clientId = 'c'): Promise<ResponseInput<typeof joinGroup>> {
    const request = {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription('orders') }],
      reason: null,
      ...options,
    }
    return this.coordinator.joinGroup(request as RequestOf<typeof joinGroup>, { version, clientId, clientHost: '/h' })
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: Record<string, string> = {},
    options: Partial<RequestInput<typeof syncGroup>> = {},
    version = 5,
  ): Promise<ResponseInput<typeof syncGroup>> {
    const request = {
      groupId: 'g',
      generationId,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: Object.entries(assignments).map(([id, a]) => ({ memberId: id, assignment: bytes(a) })),
      ...options,
    }
    return this.coordinator.syncGroup(request as RequestOf<typeof syncGroup>, { version, clientId: 'c', clientHost: '/h' })
  }

  async beat(memberId: string, generationId: number, groupInstanceId: string | null = null, groupId = 'g'): Promise<number> {
    const { errorCode } = await this.coordinator.heartbeat({ groupId, generationId, memberId, groupInstanceId })
    return errorCode!
  }

  leave(members: RequestInput<typeof leaveGroup>['members'], groupId = 'g'): Promise<ResponseInput<typeof leaveGroup>> {
    const all = members!.map((m) => ({ memberId: '', groupInstanceId: null, reason: null, ...m }))
    return this.coordinator.leaveGroup({ groupId, memberId: '', members: all }, { version: 5, clientId: 'c', clientHost: '/h' })
  }

  commit(
    memberId: string,
    generation: number,
    committedOffset: number,
    options: Partial<RequestInput<typeof offsetCommit>> = {},
    version = 8,
  ): Promise<ResponseInput<typeof offsetCommit>> {
    const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, committedMetadata: '' }
    const request = {
      groupId: 'g',
      generationIdOrMemberEpoch: generation,
      memberId,
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [{ name: 'orders', topicId: ZERO_UUID, partitions: [partition] }],
      ...options,
    }
    const client = { version, clientId: 'c', clientHost: '/h' }
    return this.coordinator.commitOffsets(request as RequestOf<typeof offsetCommit>, client)
  }

  /** The error of a commit to orders-0. */
  async commitError(...args: Parameters<World['commit']>): Promise<number> {
    const { topics } = await this.commit(...args)
    return topics![0]!.partitions![0]!.errorCode!
  }

  fetch(groupId = 'g', version = 9): Promise<ResponseInput<typeof offsetFetch>> {
    const group = { groupId, memberId: null, memberEpoch: -1, topics: null }
    const request = { groupId, topics: null, groups: [group], requireStable: false }
    return this.coordinator.fetchOffsets(request, { version, clientId: 'c', clientHost: '/h' })
  }

  /** "topic-partition" to offset. */
  async offsets(groupId = 'g'): Promise<Record<string, number>> {
    const { groups } = await this.fetch(groupId)
    const all = groups![0]!.topics!.flatMap((t) =>
      t.partitions!.map((p) => [`${t.name}-${p.partitionIndex}`, p.committedOffset!]),
    )
    return Object.fromEntries(all) as Record<string, number>
  }

  async describe(groupId = 'g', version = 5) {
    const request = { groups: [groupId], includeAuthorizedOperations: false }
    const { groups } = await this.coordinator.describeGroups(request, { version, clientId: 'c', clientHost: '/h' })
    return groups![0]!
  }

  async state(): Promise<string> {
    return (await this.describe()).groupState!
  }

  /** A dynamic member's way in: an id first, then the join, which waits. */
  async enter(options: Join = {}): Promise<{ id: string; joined: Call<ResponseInput<typeof joinGroup>> }> {
    const { memberId } = await this.join('', options)
    return { id: memberId!, joined: new Call(this.join(memberId!, options)) }
  }
}

/** Lets promises that are resolved be heard of. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(of: Uint8Array | undefined): string {
  return new TextDecoder().decode(of)
}

export function subscription(...topics: string[]): Uint8Array {
  return encodeSubscription({ topics })
}

export function decode({ key, value }: CoordinatorRecord): Logged {
  const decoded = decodeGroupRecordKey(key)
  if (decoded.type === 'unknown') {
    const record = decodeConsumerGroupRecord(key, value)
    if (!record) throw new Error('unknown record')
    return { type: record.type, group: record.key.groupId, key: record.key, value: record.value }
  }
  if (decoded.type === 'GroupMetadata') return { ...decoded.key, value: value && plain(decodeGroupMetadataValue(value)) }
  return { ...decoded.key, value: value && decodeOffsetCommitValue(value) }
}

export interface GivenMember {
  readonly id: string
  readonly instance?: string
  readonly topics?: string[]
  readonly assignment?: string
  readonly sessionMs?: number
}

/** Bytes without the memory they are a view of. */
function plain(value: GroupMetadataValue): GroupMetadataValue {
  const copy = (bytes: Uint8Array) => new Uint8Array(bytes)
  return {
    ...value,
    members: value.members.map((m) => ({ ...m, subscription: copy(m.subscription), assignment: copy(m.assignment) })),
  }
}

/** The record of a group as a rebalance leaves it: the first member leads. Without members it is empty. */
export function given(
  members: readonly GivenMember[],
  options: Partial<GroupMetadataValue> & { group?: string } = {},
): CoordinatorRecord {
  const { group = 'g', ...rest } = options
  return groupRecord(group, {
    protocolType: 'consumer',
    generation: 5,
    protocol: members.length > 0 ? 'range' : null,
    leader: members[0]?.id ?? null,
    currentStateTimestamp: 1_000_000,
    members: members.map((m) => ({
      memberId: m.id,
      groupInstanceId: m.instance ?? null,
      clientId: 'c',
      clientHost: '/h',
      rebalanceTimeout: 60_000,
      sessionTimeout: m.sessionMs ?? 10_000,
      subscription: subscription(...(m.topics ?? ['orders'])),
      assignment: bytes(m.assignment ?? `of ${m.id}`),
    })),
    ...rest,
  })
}

export function givenOffset(
  topic: string,
  partition: number,
  offset: number,
  options: Partial<OffsetCommitValue> & { group?: string } = {},
) {
  const { group = 'g', ...rest } = options
  return offsetRecord(group, topic, partition, {
    offset,
    leaderEpoch: -1,
    metadata: '',
    commitTimestamp: 1_000_000,
    expireTimestamp: -1,
    topicId: TOPICS.get(topic) ?? ZERO_UUID,
    ...rest,
  })
}
