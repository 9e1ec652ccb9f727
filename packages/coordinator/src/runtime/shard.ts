// One partition of an internal topic with the state that its records describe, for one leader epoch: loaded, then active, then gone.
import { assert, type Clock, type EventFields, type EventSink, type Random, type Timer } from '@faultline/base'
import { type ErrorCode, Errors, NO_PRODUCER_ID } from '@faultline/protocol'
import { CommitQueue } from './commit-queue.ts'
import { Deadline } from './deadline.ts'
import type { CoordinatorRecord, ShardContext, ShardLog, ShardState, TransactionEnd, WritingTransaction } from './ports.ts'
import { type Replayed, replayLog } from './replay-log.ts'

export interface ShardOptions<S extends ShardState> {
  readonly partition: number
  readonly epoch: number
  readonly log: ShardLog
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  /** How long an answer may wait for its records to commit. */
  readonly commitTimeoutMs: number
  readonly create: (context: ShardContext) => S
}

type ShardPhase = 'loading' | 'active' | 'failed' | 'unloaded'

/** Loading gives way to everything else on the loop after this long. */
const SLICE_MS = 5
/** Records replayed between two looks at the clock. */
const RECORDS_A_LOOK = 32

export class Shard<S extends ShardState> implements ShardContext {
  readonly epoch: number
  readonly clock: Clock
  readonly random: Random
  readonly #o: ShardOptions<S>
  readonly #log: ShardLog
  readonly #state: S
  readonly #commits: CommitQueue
  readonly #deadlines = new Set<Deadline>()
  /** Steps that have no answer yet (a JoinGroup waits for others). */
  readonly #open = new Set<(error: ErrorCode) => void>()
  /** In order of their offsets. */
  readonly #afterCommit: { readonly offset: number; readonly run: () => void }[] = []
  #phase: ShardPhase = 'loading'
  #appending = false
  #loading: Timer | undefined

  constructor(options: ShardOptions<S>) {
    this.#o = options
    this.epoch = options.epoch
    this.clock = options.clock
    this.random = options.random
    this.#log = options.log
    this.#commits = new CommitQueue(options.clock, this.#deadlines, options.commitTimeoutMs)
    this.#state = options.create(this)
    const replay = replayLog(this.#log, this.#state)
    const started = this.clock.mono()
    this.#loading = this.clock.after(0, () => this.#load(replay, started))
  }

  /** Undefined while it is loading, or when that failed. */
  get loaded(): S | undefined {
    return this.#phase === 'active' ? this.#state : undefined
  }

  #load(replay: Generator<number, Replayed>, started: number): void {
    const until = this.clock.mono() + SLICE_MS
    let lateMs = 0
    for (let count = 1; ; count++) {
      const step = replay.next()
      if (step.done) return this.#loaded(step.value, started)
      lateMs = step.value
      if (lateMs > 0) break
      if (count % RECORDS_A_LOOK === 0 && this.clock.mono() >= until) break
    }
    this.#loading = this.clock.after(lateMs, () => this.#load(replay, started))
  }

  #loaded({ error, records, skipped }: Replayed, started: number): void {
    this.#phase = error === Errors.NONE ? 'active' : 'failed'
    this.emit('coordinator.loaded', { error, records, skipped, ms: this.clock.mono() - started })
    if (this.#phase === 'active') this.#state.begin()
    this.#changed()
  }

  /**
   * One step on the state. Its answer leaves when all that the log holds by then is committed: what it wrote itself, and what others
   * wrote that it may have seen. `failed` makes the answer when that cannot be.
   */
  run<T>(step: (state: S, answer: (value: T) => void) => void, failed: (error: ErrorCode) => T): Promise<T> {
    if (this.#phase === 'loading') return Promise.resolve(failed(Errors.COORDINATOR_LOAD_IN_PROGRESS))
    if (this.#phase !== 'active') return Promise.resolve(failed(Errors.NOT_COORDINATOR))
    return new Promise((resolve) => {
      const fail = (error: ErrorCode) => resolve(failed(error))
      this.#open.add(fail)
      step(this.#state, (value) => {
        assert(this.#open.delete(fail), 'a second answer to one request')
        this.#whenCommitted(
          () => resolve(value),
          () => fail(this.#phase === 'active' ? Errors.COORDINATOR_NOT_AVAILABLE : Errors.NOT_COORDINATOR),
        )
      })
      this.#changed()
    })
  }

  /** Before anything that came of it has left: answers leave later than the step. */
  #changed(): void {
    this.#o.events.changed?.('coordinator')
  }

  #whenCommitted(send: () => void, fail: () => void): void {
    const end = this.#log.endOffset
    if (this.#log.highWatermark >= end && this.#commits.size === 0) send()
    else this.#commits.add(end, { send, fail })
  }

  /** The high watermark has moved. */
  advance(): void {
    if (this.#phase !== 'active' || this.#appending) return
    this.#commits.advance(this.#log.highWatermark)
    const mark = this.#log.highWatermark
    while (this.#isActive && this.#afterCommit.length > 0 && this.#afterCommit[0]!.offset <= mark)
      this.#afterCommit.shift()!.run()
  }

  get #isActive(): boolean {
    return this.#phase === 'active'
  }

  /** Appends, then replays. With one replica the high watermark moves during the append: whoever waits for that sees what was replayed. */
  #write(append: () => ErrorCode, replay: () => void): ErrorCode {
    assert(this.#isActive, `append to a shard that is ${this.#phase}`)
    this.#appending = true
    const error = append()
    if (error === Errors.NONE) replay()
    this.#appending = false
    this.advance()
    return error
  }

  append(records: readonly CoordinatorRecord[], transaction?: WritingTransaction): ErrorCode {
    const producerId = transaction?.producerId ?? NO_PRODUCER_ID
    return this.#write(
      () => this.#log.append(records, transaction),
      () => {
        for (const record of records) this.#state.replay(record, producerId)
      },
    )
  }

  appendEnd(end: TransactionEnd): ErrorCode {
    return this.#write(
      () => this.#log.appendEnd(end),
      () => this.#state.endTransaction(end.producerId, end.committed),
    )
  }

  whenCommitted(run: () => void): void {
    this.#afterCommit.push({ offset: this.#log.endOffset, run })
    this.advance()
  }

  whileActive<T>(run: (value: T) => void): (value: T) => void {
    return (value) => {
      if (this.#phase === 'active') run(value)
    }
  }

  appendInParts(records: readonly CoordinatorRecord[]): ErrorCode {
    let from = 0
    while (from < records.length) {
      const to = partEnd(records, from, this.#log.maxBatchBytes)
      const error = this.append(records.slice(from, to))
      if (error !== Errors.NONE) return error
      from = to
    }
    return Errors.NONE
  }

  deadline(expire: () => void): Deadline {
    return new Deadline(this.clock, this.#deadlines, () => {
      expire()
      this.#changed()
    })
  }

  emit(name: string, fields: EventFields): void {
    this.#o.events.emit(name, { partition: this.#o.partition, ...fields })
  }

  /** Leadership went, or its epoch changed. Whoever waits looks for the coordinator again. */
  unload(): void {
    this.#phase = 'unloaded'
    this.#loading?.cancel()
    for (const deadline of this.#deadlines) deadline.clear()
    this.#commits.failAll()
    this.#afterCommit.length = 0
    for (const fail of this.#open) fail(Errors.NOT_COORDINATOR)
    this.#open.clear()
    this.#changed()
    this.emit('coordinator.unloaded', { epoch: this.epoch })
  }
}

const BATCH_OVERHEAD = 128
const RECORD_OVERHEAD = 32

/** Where a batch that begins at `from` must end to fit. At least one record is in it. */
function partEnd(records: readonly CoordinatorRecord[], from: number, maxBytes: number): number {
  let bytes = BATCH_OVERHEAD
  let to = from
  while (to < records.length) {
    const { key, value } = records[to]!
    bytes += RECORD_OVERHEAD + key.length + (value?.length ?? 0)
    if (bytes > maxBytes && to > from) break
    to++
  }
  return to
}
