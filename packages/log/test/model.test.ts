// Random use of a log, held against a list of records.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EpochStart, LogConfig, PartitionLog } from '../src/index.ts'
import { concat, decodeAll, fixture, readAll, values, type Fixture, type ReadRecord } from './support.ts'

type Step =
  | { readonly kind: 'append'; readonly records: number; readonly size: number }
  | { readonly kind: 'follow'; readonly batches: number; readonly gap: number }
  | { readonly kind: 'truncate'; readonly back: number }
  | { readonly kind: 'advanceStart'; readonly by: number }
  | { readonly kind: 'highWatermark'; readonly back: number }
  | { readonly kind: 'expire' }
  | { readonly kind: 'flush' }
  | { readonly kind: 'reopen'; readonly clean: boolean }
  | { readonly kind: 'startOver'; readonly ahead: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('append' as const), records: fc.integer({ min: 1, max: 5 }), size: fc.nat(200) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('follow' as const), batches: fc.integer({ min: 1, max: 4 }), gap: fc.nat(3) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), back: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advanceStart' as const), by: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('highWatermark' as const), back: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const), clean: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('startOver' as const), ahead: fc.nat(20) }) },
)

const SMALL: Partial<LogConfig> = { segmentBytes: 1200, indexIntervalBytes: 200, retentionBytes: 6000 }

/** What a log is, without a disk. */
class Model {
  /** With where the batch ends that a record came in. */
  records: (ReadRecord & { readonly batchEnd: number })[] = []
  start = 0
  end = 0
  highWatermark = 0
  epochs: EpochStart[] = []

  append(epoch: number, records: readonly ReadRecord[]): void {
    const first = records[0]!.offset
    const batchEnd = records.at(-1)!.offset + 1
    if (this.epochs.at(-1)?.epoch !== epoch)
      this.epochs = [...this.epochs.filter((entry) => entry.startOffset < first), { epoch, startOffset: first }]
    this.records.push(...records.map((record) => ({ ...record, batchEnd })))
    this.end = batchEnd
  }

  truncate(offset: number): void {
    if (offset >= this.end) return
    this.records = this.records.filter((record) => record.batchEnd <= offset)
    this.end = offset
    this.start = Math.min(this.start, offset)
    this.highWatermark = Math.min(this.highWatermark, offset)
    this.epochs = this.epochs.filter((entry) => entry.startOffset < offset)
  }

  startOver(offset: number): void {
    Object.assign(this, { records: [], epochs: [], start: offset, end: offset, highWatermark: offset })
  }

  advanceStart(offset: number): void {
    if (offset <= this.start) return
    this.start = offset
    this.highWatermark = Math.max(this.highWatermark, offset)
    const first = this.epochs.findLastIndex((entry) => entry.startOffset <= offset)
    if (first >= 0) this.epochs = [{ epoch: this.epochs[first]!.epoch, startOffset: offset }, ...this.epochs.slice(first + 1)]
  }

  /** What readers get: whole batches, so records before the start may come with it. */
  get visible(): ReadRecord[] {
    return this.records.filter((record) => record.batchEnd > this.start).map(({ offset, value }) => ({ offset, value }))
  }
}

class Run {
  log: PartitionLog
  readonly model = new Model()
  readonly #world: Fixture
  #epoch = 0
  #value = 0
  #checkpoint = 0

  constructor(world: Fixture) {
    this.#world = world
    this.log = world.open({ onRecoveryPointLowered: () => this.checkpoint() })
  }

  checkpoint(): void {
    this.#checkpoint = this.log.recoveryPoint
  }

  /** What a broker would hand over at its next start. */
  openOptions(cleanShutdown: boolean) {
    const { start, highWatermark } = this.model
    return { cleanShutdown, recoveryPoint: this.#checkpoint, logStartOffset: start, highWatermark }
  }

  apply(step: Step): void {
    const { log, model } = this
    switch (step.kind) {
      case 'append':
        return this.#append(step.records, step.size)
      case 'follow':
        return this.#follow(step.batches, step.gap)
      case 'truncate': {
        this.#epoch++
        const offset = this.#boundaryAt(model.end - step.back)
        log.truncateTo(offset)
        // Below the first segment nothing is left to keep.
        return offset < this.#firstBase() ? model.startOver(offset) : model.truncate(offset)
      }
      case 'advanceStart': {
        const offset = Math.min(model.start + step.by, model.highWatermark)
        log.advanceLogStartOffset(offset)
        return model.advanceStart(offset)
      }
      case 'highWatermark':
        log.updateHighWatermark(model.end - step.back)
        model.highWatermark = Math.max(model.highWatermark, model.end - step.back)
        return
      case 'expire':
        log.deleteExpired(this.#world.clock.now)
        return model.advanceStart(log.logStartOffset)
      case 'flush':
        log.flush()
        return this.checkpoint()
      case 'startOver':
        log.truncateFullyAndStartAt(model.end + step.ahead)
        return model.startOver(model.end + step.ahead)
      case 'reopen':
        if (step.clean) log.close()
        if (step.clean) this.checkpoint()
        this.#world.disk.crashProcess()
        this.log = this.#world.open({ ...this.openOptions(step.clean), onRecoveryPointLowered: () => this.checkpoint() })
        return this.#adoptEnd()
    }
  }

  /** Replicas agree on whole batches, so that is where logs are cut. */
  #boundaryAt(offset: number): number {
    return (
      this.model.records.findLast((record) => record.batchEnd <= offset)?.batchEnd ??
      Math.max(0, Math.min(offset, this.#firstBase()))
    )
  }

  /** After a cut that left a gap at the end, a restart finds the end of the last batch. */
  #adoptEnd(): void {
    const { log, model } = this
    expect(log.logEndOffset).toBeGreaterThanOrEqual(model.records.at(-1)?.batchEnd ?? 0)
    expect(log.logEndOffset).toBeLessThanOrEqual(model.end)
    model.truncate(log.logEndOffset)
    // An epoch without records need not outlive it.
    const withRecords = (entry: EpochStart) => entry.startOffset < model.end
    expect(log.leaderEpochs.filter(withRecords)).toEqual(model.epochs.filter(withRecords))
    model.epochs = [...log.leaderEpochs]
  }

  #firstBase(): number {
    const names = this.#world.disk.list('data/t-0').filter((name) => name.endsWith('.log'))
    return names.length === 0 ? 0 : Number(names[0]!.slice(0, 20))
  }

  #append(count: number, size: number): void {
    const list = Array.from({ length: count }, () => `${this.#value++}:${'x'.repeat(size)}`)
    const result = this.log.appendAsLeader(values(list), this.#epoch, 'client')
    if (result.error !== 0) throw new Error(result.message)
    expect(result.firstOffset).toBe(this.model.end)
    this.model.append(
      this.#epoch,
      list.map((value, i) => ({ offset: result.firstOffset + i, value })),
    )
  }

  /** As from a leader whose log was compacted: with gaps. */
  #follow(count: number, gap: number): void {
    const batches: Uint8Array[] = []
    let next = this.model.end
    for (let i = 0; i < count; i++) {
      const baseOffset = next + gap
      const value = `${this.#value++}`
      batches.push(values([value, value], { baseOffset, partitionLeaderEpoch: this.#epoch }))
      next = baseOffset + 2
    }
    expect(this.log.appendAsFollower(concat(batches), this.#epoch)).toBeUndefined()
    for (const batch of batches) this.model.append(this.#epoch, decodeAll(batch))
  }

  check(): void {
    const { log, model } = this
    expect({ start: log.logStartOffset, end: log.logEndOffset, highWatermark: log.highWatermark }).toEqual({
      start: model.start,
      end: model.end,
      highWatermark: model.highWatermark,
    })
    expect(readAll(log)).toEqual(model.visible)
    expect(log.leaderEpochs).toEqual(model.epochs)
    for (const { offset } of model.visible.filter((record) => record.offset >= model.start && record.offset % 5 === 0)) {
      const read = log.read(offset, 1, model.end, true)
      if ('error' in read) throw new Error(read.message)
      expect(decodeAll(concat(read.chunks)).some((record) => record.offset === offset)).toBe(true)
    }
  }
}

describe('random use', () => {
  it('agrees with a list of records', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const run = new Run(fixture(SMALL))
        for (const step of steps) {
          run.apply(step)
          run.check()
        }
      }),
      { numRuns: 300 },
    )
  })
})
