// A transaction coordinator on a hand-driven clock, a log in memory, and markers and producer ids that a test gives or holds back.
import { Prng, type EventFields } from '@faultline/base'
import {
  decodeTransactionLogKey,
  decodeTransactionLogValue,
  type describeTransactions,
  Errors,
  type initProducerId,
  type listTransactions,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
} from '@faultline/protocol'
import type { CoordinatorRecord, TransactionEnd } from '../src/runtime/ports.ts'
import type { MarkerResult, MarkerWriter, ProducerIdSource, TransactionConfig } from '../src/transaction/config.ts'
import type { Settled } from '../src/transaction/outcome.ts'
import { newTransaction, type Transaction } from '../src/transaction/transaction.ts'
import { TransactionCoordinator } from '../src/transaction/transaction-coordinator.ts'
import { transactionRecord } from '../src/transaction/transaction-records.ts'
import type { TransactionShard } from '../src/transaction/transaction-shard.ts'
import { TestClock, TestLog } from './support.ts'

export const TRANSACTION_CONFIG: TransactionConfig = {
  maxTimeoutMs: 900_000,
  abortCheckMs: 10_000,
  expirationMs: 7 * 86_400_000,
  expirationCheckMs: 3_600_000,
}

/** As the first record of a test's clock is stamped. */
export const START = 1_000_000

export interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface SentMarker {
  readonly end: TransactionEnd
  readonly to: string
  readonly done: (result: MarkerResult) => void
}

export class TestMarkers implements MarkerWriter {
  /** All that were ever asked for. */
  readonly sent: SentMarker[] = []
  /** Those that have no answer yet. */
  held: SentMarker[] = []
  /** What a partition answers at once; undefined holds the marker back. */
  answer: (to: string) => MarkerResult | undefined = () => Errors.NONE
  #seen = 0

  write(end: TransactionEnd, topic: string, partition: number, done: (result: MarkerResult) => void): void {
    const marker = { end, to: `${topic}-${partition}`, done }
    this.sent.push(marker)
    const result = this.answer(marker.to)
    if (result === undefined) this.held.push(marker)
    else done(result)
  }

  hold(): this {
    this.answer = () => undefined
    return this
  }

  /** Answers what is held for this partition, or for all. */
  release(result: MarkerResult, to?: string): void {
    const answered = this.held.filter((marker) => to === undefined || marker.to === to)
    this.held = this.held.filter((marker) => !answered.includes(marker))
    for (const { done } of answered) done(result)
  }

  /** Since the last look. */
  get fresh(): string[] {
    const fresh = this.sent.slice(this.#seen)
    this.#seen = this.sent.length
    return fresh.map(({ end, to }) => `${to} ${end.committed ? 'commit' : 'abort'} ${end.producerId}/${end.producerEpoch}`)
  }
}

export class TestProducerIds implements ProducerIdSource {
  #next = 1000
  /** No controller gives any. */
  none = false

  next(): Promise<number | undefined> {
    return Promise.resolve(this.none ? undefined : this.#next++)
  }
}

export class TransactionWorld {
  readonly clock = new TestClock()
  readonly events: [string, EventFields][] = []
  readonly markers: TestMarkers
  readonly ids = new TestProducerIds()
  readonly coordinator: TransactionCoordinator
  log!: TestLog
  epoch = 0
  #seen = 0

  constructor(
    records: readonly CoordinatorRecord[] = [],
    config: Partial<TransactionConfig> = {},
    { Coordinator = TransactionCoordinator, markers = new TestMarkers() } = {},
  ) {
    this.markers = markers
    this.coordinator = new Coordinator({
      clock: this.clock,
      random: new Prng(1),
      events: { emit: (name, fields) => this.events.push([name, fields]) },
      commitTimeoutMs: 5000,
      config: { ...TRANSACTION_CONFIG, ...config },
      markers: this.markers,
      producerIds: this.ids,
      partitions: () => 1,
    })
    this.elect(new TestLog(records))
    this.clock.advance(0)
  }

  /** Leads from now on, with this log; loading is over when the clock is advanced. */
  elect(log: TestLog): void {
    this.log = log
    this.#seen = log.records.length
    log.onAdvance = () => this.coordinator.runtime.advanced(0)
    this.coordinator.runtime.elected(0, ++this.epoch, log)
  }

  /** Another coordinator with the first `kept` records: the markers of the old one are nobody's any more. */
  failOver(kept = this.log.highWatermark): void {
    this.markers.held = []
    this.elect(new TestLog(this.log.records.slice(0, kept)))
    this.clock.advance(0)
  }

  /** Records since the last look, in short. */
  get written(): string[] {
    const fresh = this.log.records.slice(this.#seen)
    this.#seen = this.log.records.length
    return fresh.map(brief)
  }

  shard(): Promise<TransactionShard> {
    return this.coordinator.runtime.run<TransactionShard>(
      0,
      (shard, answer) => answer(shard),
      () => Promise.reject(new Error('no shard')) as never,
    )
  }

  init(more: Partial<RequestInput<typeof initProducerId>> = {}): Promise<Settled> {
    const request = { transactionalId: 't', transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1, ...more }
    return this.coordinator.initProducerId(request as RequestOf<typeof initProducerId>)
  }

  /** `to` are "topic-partition". */
  add({ producerId, producerEpoch }: Producer, to: readonly string[], version = 0, transactionalId = 't'): Promise<number> {
    const partitions = new Map<string, Set<number>>()
    for (const name of to) {
      const [topic, partition] = name.split('-') as [string, string]
      partitions.set(topic, (partitions.get(topic) ?? new Set()).add(Number(partition)))
    }
    return this.coordinator.addPartitions({ transactionalId, producerId, producerEpoch }, partitions, version)
  }

  async verify({ producerId, producerEpoch }: Producer, to: string, transactionalId = 't'): Promise<number> {
    const verdict = await this.coordinator.verifyPartitions({ transactionalId, producerId, producerEpoch })
    const [topic, partition] = to.split('-') as [string, string]
    return verdict(topic, Number(partition))
  }

  /** Version 5 is that of KIP-890. */
  end({ producerId, producerEpoch }: Producer, committed: boolean, version = 4, transactionalId = 't'): Promise<Settled> {
    return this.coordinator.endTransaction({ transactionalId, producerId, producerEpoch, committed }, version)
  }

  async endError(...args: Parameters<TransactionWorld['end']>): Promise<number> {
    return (await this.end(...args)).error
  }

  async describe(transactionalId = 't') {
    const { transactionStates } = await this.coordinator.describeTransactions({ transactionalIds: [transactionalId] })
    return transactionStates![0]! as NonNullable<ResponseInput<typeof describeTransactions>['transactionStates']>[number]
  }

  async state(transactionalId = 't'): Promise<string | undefined> {
    return (await this.describe(transactionalId)).transactionState
  }

  list(more: Partial<RequestInput<typeof listTransactions>> = {}) {
    const request = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null, ...more }
    return this.coordinator.listTransactions(request as RequestOf<typeof listTransactions>)
  }
}

/** A record in a line: the state, producer and partitions; what came before and comes next where that differs. */
export function brief({ key, value }: CoordinatorRecord): string {
  const id = decodeTransactionLogKey(key)!
  const name = id === 't' ? '' : `${id}: `
  if (value === null) return `${name}gone`
  const v = decodeTransactionLogValue(value)
  const states = ['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort']
  const parts = (v.transactionPartitions ?? []).flatMap((t) => t.partitionIds.map((p) => `${t.topic}-${p}`))
  return [
    `${name}${states[v.transactionStatus]} ${v.producerId}/${v.producerEpoch}`,
    ...(parts.length > 0 ? [parts.join()] : []),
    ...(v.previousProducerId !== v.producerId ? [`before ${v.previousProducerId}`] : []),
    ...(v.nextProducerId >= 0 ? [`next ${v.nextProducerId}`] : []),
    ...(v.clientTransactionVersion > 0 ? [`v${v.clientTransactionVersion}`] : []),
  ].join(' ')
}

/** The record of a transactional id 't' that producer 7 has, in epoch 5. */
export function given(changes: Partial<Transaction> & { readonly at?: readonly string[] } = {}): CoordinatorRecord {
  const { at = [], ...rest } = changes
  const partitions = new Map<string, Set<number>>()
  for (const name of at) {
    const [topic, partition] = name.split('-') as [string, string]
    partitions.set(topic, (partitions.get(topic) ?? new Set()).add(Number(partition)))
  }
  const isOpen = at.length > 0
  return transactionRecord({
    ...newTransaction('t', 7, START),
    previousProducerId: 7,
    producerEpoch: 5,
    timeoutMs: 60_000,
    state: isOpen ? 'Ongoing' : 'Empty',
    startTimestamp: isOpen ? START : -1,
    partitions,
    ...rest,
  })
}

export const P: Producer = { producerId: 7, producerEpoch: 5 }

/** The same producer, some epochs on. */
export function later({ producerId, producerEpoch }: Producer, epochs: number): Producer {
  return { producerId, producerEpoch: producerEpoch + epochs }
}
