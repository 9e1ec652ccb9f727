// What one who reads committed records sees of a partition's log: random transactions against a reader that does what Kafka's clients do,
// and mistakes planted in the log that it must notice.
import { Prng } from '@faultline/base'
import {
  buildEndTransactionMarker,
  decodeRecords,
  isBatchProblem,
  readEndTransactionMarker,
  RecordBatch,
} from '@faultline/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { concat, type fixture, produced, utf8, values } from '../../log/test/support.ts'

const SEEDS = 30
const STEPS = 150

type Log = ReturnType<ReturnType<typeof fixture>['open']>
type Outcome = 'open' | 'committed' | 'aborted'

interface Transaction {
  readonly producerId: number
  readonly values: string[]
  outcome: Outcome
}

class Reads {
  violation: string | undefined
  readonly #random: Prng
  readonly #fixture: ReturnType<typeof fixture>
  #log: Log
  readonly #open = new Map<number, Transaction>()
  readonly #sequences = new Map<number, number>()
  /** Of each value, the transaction that it was written in. */
  readonly #writtenIn = new Map<string, Transaction | undefined>()
  readonly #order: string[] = []

  constructor(seed: number, makeFixture: typeof fixture) {
    this.#random = new Prng(seed)
    this.#fixture = makeFixture({ verifyTransactions: false, segmentBytes: 2000 })
    this.#log = this.#fixture.open()
  }

  run(): string | undefined {
    for (let i = 0; i < STEPS && this.violation === undefined; i++) {
      this.#step()
      this.#read(0)
      this.#read(this.#random.below(this.#log.logEndOffset + 1))
    }
    for (const producerId of [...this.#open.keys()]) this.#end(producerId)
    this.#log.updateHighWatermark(this.#log.logEndOffset)
    this.#read(0)
    return this.violation
  }

  #step(): void {
    const producerId = 1 + this.#random.below(4)
    const roll = this.#random.below(20)
    if (roll < 8) this.#write(producerId)
    else if (roll < 11) this.#writePlain()
    else if (roll < 15) this.#end(producerId)
    else if (roll < 19) this.#log.updateHighWatermark(this.#log.highWatermark + this.#random.below(8))
    else this.#restart()
  }

  #append(batch: Uint8Array, origin: 'client' | 'coordinator' = 'client'): void {
    const { error } = this.#log.appendAsLeader(batch, 0, origin)
    if (error !== 0) throw new Error(`append: ${error}`)
  }

  #write(producerId: number): void {
    const transaction = this.#open.get(producerId) ?? { producerId, values: [], outcome: 'open' }
    this.#open.set(producerId, transaction)
    const sequence = this.#sequences.get(producerId) ?? 0
    const count = 1 + this.#random.below(3)
    this.#sequences.set(producerId, sequence + count)
    this.#append(produced(producerId, 0, sequence, count, { transactional: true }))
    for (let i = 0; i < count; i++) this.#note(`${producerId}/0/${sequence + i}`, transaction)
  }

  #writePlain(): void {
    const value = `plain ${this.#order.length}`
    this.#append(values([value]))
    this.#note(value, undefined)
  }

  #note(value: string, transaction: Transaction | undefined): void {
    this.#order.push(value)
    this.#writtenIn.set(value, transaction)
  }

  #end(producerId: number): void {
    const transaction = this.#open.get(producerId)
    if (!transaction) return
    const result = this.#random.below(2) === 0 ? 'commit' : 'abort'
    const marker = { producerId, producerEpoch: 0, coordinatorEpoch: 0, result } as const
    this.#append(buildEndTransactionMarker(marker, this.#fixture.clock.now), 'coordinator')
    transaction.outcome = result === 'commit' ? 'committed' : 'aborted'
    this.#open.delete(producerId)
  }

  /** The process ends, well or not, and the log is opened again. */
  #restart(): void {
    const cleanShutdown = this.#random.below(2) === 0
    const { highWatermark } = this.#log
    if (cleanShutdown) this.#log.close()
    this.#log = this.#fixture.open({ cleanShutdown })
    this.#log.updateHighWatermark(highWatermark)
  }

  /** From `from` to the last stable offset, as Kafka's consumers do: what is named aborted is left out until its marker. */
  #read(from: number): void {
    const seen: string[] = []
    const aborting = new Set<number>()
    const end = this.#log.lastStableOffset
    const aborted = this.#log.abortedTransactions(from, end).sort((a, b) => a.firstOffset - b.firstOffset)
    for (const batch of this.#batches(from, end)) {
      while (aborted.length > 0 && aborted[0]!.firstOffset <= batch.lastOffset) aborting.add(aborted.shift()!.producerId)
      if (batch.isControl) {
        const marker = readEndTransactionMarker(batch)
        if (marker && !isBatchProblem(marker) && marker.result === 'abort') aborting.delete(batch.producerId)
        continue
      }
      if (batch.isTransactional && aborting.has(batch.producerId)) continue
      const records = decodeRecords(batch)
      if (isBatchProblem(records)) throw new Error(records.message)
      for (const { offset, value } of records) if (offset >= from) seen.push(utf8(value)!)
    }
    this.#judge(from, end, seen)
  }

  *#batches(from: number, end: number): Generator<RecordBatch> {
    for (let next = from; next < end;) {
      const read = this.#log.read(next, 1 << 20, end, true)
      if ('error' in read) throw new Error(read.message)
      if (read.bytes === 0) return
      const bytes = concat(read.chunks)
      for (let at = 0; at < bytes.length;) {
        const batch = new RecordBatch(bytes, at)
        yield batch
        at += batch.sizeInBytes
      }
      next = read.nextOffset
    }
  }

  #judge(from: number, end: number, seen: readonly string[]): void {
    for (const value of seen) {
      const outcome = this.#writtenIn.get(value)?.outcome
      if (outcome === 'open' || outcome === 'aborted')
        this.violation = `${value} was read from ${from}, and its transaction is ${outcome}`
    }
    if (from > 0) return
    const good = this.#order.filter((value) => (this.#writtenIn.get(value)?.outcome ?? 'committed') === 'committed')
    if (seen.some((value, i) => value !== good[i])) this.violation ??= `${seen.join()} was read up to ${end} of ${good.join()}`
    const settled = this.#open.size === 0 && this.#log.highWatermark === this.#log.logEndOffset
    if (settled && seen.length < good.length) this.violation ??= `only ${seen.length} of ${good.length} were read`
  }
}

async function firstViolation(): Promise<string | undefined> {
  vi.resetModules()
  const support = await import('../../log/test/support.ts')
  for (let seed = 1; seed <= SEEDS; seed++) {
    const violation = new Reads(seed, support.fixture).run()
    if (violation !== undefined) return violation
  }
  return undefined
}

type States = typeof import('../../log/src/producer-states.ts').ProducerStates

function plant(change: (original: States) => States): void {
  vi.doMock('../../log/src/producer-states.ts', async (importOriginal) => {
    const original = await importOriginal<{ ProducerStates: States }>()
    return { ...original, ProducerStates: change(original.ProducerStates) }
  })
}

afterEach(() => {
  vi.doUnmock('../../log/src/producer-states.ts')
  vi.doUnmock('../../log/src/aborted-transactions.ts')
  vi.resetModules()
})

describe('a reader of what is committed', () => {
  it('sees nothing wrong', async () => {
    expect(await firstViolation()).toBeUndefined()
  })

  it('finds a last stable offset that passes an open transaction', async () => {
    plant(
      (Original) =>
        class extends Original {
          override get firstUnstableOffset(): undefined {
            return undefined
          }
        },
    )
    expect(await firstViolation()).toMatch(/was read from \d+, and its transaction is open/)
  })

  it('finds one that forgets open transactions when the log is opened again', async () => {
    plant(
      (Original) =>
        class extends Original {
          override load(producers: Parameters<InstanceType<States>['load']>[0], now: number, expirationMs: number): void {
            for (const producer of producers) producer.transactionStart = undefined
            super.load(producers, now, expirationMs)
          }
        },
    )
    expect(await firstViolation()).toMatch(/its transaction is (open|aborted)/)
  })

  it('finds one that waits for a transaction that has ended', async () => {
    plant(
      (Original) =>
        class extends Original {
          override onHighWatermark(): void {}
        },
    )
    expect(await firstViolation()).toMatch(/only \d+ of \d+ were read/)
  })

  it('finds aborted transactions that are not named', async () => {
    vi.doMock('../../log/src/aborted-transactions.ts', async (importOriginal) => {
      const original = await importOriginal<typeof import('../../log/src/aborted-transactions.ts')>()
      const abortedTransactionsIn: typeof original.abortedTransactionsIn = (...args) =>
        original.abortedTransactionsIn(...args).slice(1)
      return { ...original, abortedTransactionsIn }
    })
    expect(await firstViolation()).toMatch(/its transaction is aborted/)
  })
})
