// A data folder that stops at any moment: the process dies between two disk operations or inside a write, or the power goes.
// Whatever happens, it opens again, shows nothing torn, and has lost nothing that was synced (or, for a process crash, written).
import { DiskError, Prng } from '@faultline/base'
import { RecordBatch, buildEndTransactionMarker, checkBatch } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { VirtualDisk, type DiskAttempt, type DiskFault } from '../../sim/src/disk/virtual-disk.ts'
import { DEFAULT_LOG_CONFIG, LogDirectory, type LogConfig, type PartitionLog } from '../src/index.ts'
import { TOPIC_ID, TestClock, concat, produced, values } from './support.ts'

const CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, segmentBytes: 1500, indexIntervalBytes: 200 }

class Crash extends Error {}

type Kind = 'process' | 'power'

class World {
  readonly disk = new VirtualDisk()
  readonly #clock = new TestClock()
  readonly #random: Prng
  log!: PartitionLog
  #directory!: LogDirectory
  #epoch = 0
  readonly #sequences = new Map<number, number>()
  readonly #open = new Set<number>()
  /** Bytes of every batch that an append has accepted, by base offset, as far as it has not been truncated away again. */
  #accepted = new Map<number, Uint8Array>()
  /** What any append ever wrote: no other batch may appear. */
  readonly #everWritten = new Set<string>()
  #syncedEnd = 0
  #left = Number.POSITIVE_INFINITY
  operations = 0

  constructor(random: Prng) {
    this.#random = random
  }

  start(): void {
    this.#directory = LogDirectory.open({
      disk: this.disk,
      clock: this.#clock,
      random: this.#random,
      path: 'data',
      clusterId: 'c',
      nodeId: 1,
    })
    this.log = this.#directory.create('t', 0, TOPIC_ID, CONFIG)
  }

  /** The process dies at the operation after `count` more; a write that it dies in leaves a part. */
  crashAfter(count: number): void {
    this.#left = count
    this.disk.fault = (attempt) => this.#count(attempt)
  }

  #count({ operation, bytes }: DiskAttempt): DiskFault | undefined {
    this.operations++
    if (this.#left-- > 0) return undefined
    if (this.#left < -1 || operation !== 'write' || bytes === undefined) throw new Crash(operation)
    return { code: 'EIO', written: this.#random.below(bytes.length + 1) }
  }

  /** Random use of the log until the end, or the crash. True when it crashed. */
  use(steps: number): boolean {
    try {
      for (let i = 0; i < steps; i++) {
        this.#step()
        if (this.log.failure !== undefined || this.#directory.failure !== undefined) return true
      }
      return false
    } catch (error) {
      if (error instanceof Crash) return true
      throw error
    }
  }

  #step(): void {
    const dice = this.#random.below(100)
    if (dice < 35) this.#append(values(['v'.repeat(this.#random.below(200))]))
    else if (dice < 50) this.#produce(100 + this.#random.below(3), false)
    else if (dice < 65) this.#produce(200 + this.#random.below(3), true)
    else if (dice < 75) this.#endTransaction(200 + this.#random.below(3))
    else if (dice < 80) this.#truncate()
    else if (dice < 85) this.log.updateHighWatermark(this.log.logEndOffset)
    else if (dice < 92) this.#flush()
    else if (dice < 97) this.#directory.writeCheckpoints()
    else this.#restart()
  }

  #append(batch: Uint8Array, origin: 'client' | 'coordinator' = 'client'): boolean {
    const before = this.log.logEndOffset
    const view = new RecordBatch(batch)
    view.setPartitionLeaderEpoch(this.#epoch)
    const stamped = batch.slice()
    new RecordBatch(stamped).setBaseOffset(before)
    this.#everWritten.add(text(stamped))
    const result = this.log.appendAsLeader(batch, this.#epoch, origin)
    if (result.error !== 0) return false
    if (!result.duplicate) this.#accepted.set(before, stamped)
    return true
  }

  #produce(producerId: number, transactional: boolean): void {
    const sequence = this.#sequences.get(producerId) ?? 0
    const count = 1 + this.#random.below(3)
    if (!this.#append(produced(producerId, 0, sequence, count, { transactional }))) return
    this.#sequences.set(producerId, sequence + count)
    if (transactional) this.#open.add(producerId)
  }

  #endTransaction(producerId: number): void {
    if (!this.#open.delete(producerId)) return
    const result = this.#random.below(2) === 0 ? 'abort' : 'commit'
    const marker = { producerId, producerEpoch: 0, coordinatorEpoch: 1, result } as const
    this.#append(buildEndTransactionMarker(marker, this.#clock.now), 'coordinator')
  }

  #truncate(): void {
    this.#epoch++
    const starts = [...this.#accepted.keys()].slice(-5)
    if (starts.length === 0) return
    const offset = starts[this.#random.below(starts.length)]!
    this.#syncedEnd = Math.min(this.#syncedEnd, offset)
    // A crash in the midst of it may keep them or not.
    for (const start of this.#accepted.keys()) if (start >= offset) this.#accepted.delete(start)
    this.log.truncateTo(offset)
    this.#learnProducers()
  }

  #flush(): void {
    const end = this.log.logEndOffset
    this.log.flush()
    if (this.log.failure === undefined) this.#syncedEnd = end
  }

  #restart(): void {
    const end = this.log.logEndOffset
    this.#directory.closeClean(1)
    if (this.#directory.failure !== undefined) return
    this.#syncedEnd = end
    this.start()
    this.#learnProducers()
  }

  /** The producers go on from what the log knows of them. */
  #learnProducers(): void {
    this.#sequences.clear()
    this.#open.clear()
    for (const producer of this.log.activeProducers()) {
      this.#sequences.set(producer.producerId, producer.lastSequence + 1)
      if (producer.currentTxnStartOffset >= 0) this.#open.add(producer.producerId)
    }
  }

  crash(kind: Kind): void {
    this.disk.fault = undefined
    if (kind === 'process') this.disk.crashProcess()
    else this.disk.crashPower(this.#random, this.#random.next())
  }

  recoverAndCheck(kind: Kind): void {
    this.start()
    expect(this.#directory.failure).toBeUndefined()
    const batches = readBatches(this.log)
    for (const batch of batches) {
      expect(checkBatch(batch)).toBeUndefined()
      expect(this.#everWritten.has(text(batch)), `batch at ${new RecordBatch(batch).baseOffset} was never written`).toBe(true)
    }
    const found = new Map(batches.map((batch) => [new RecordBatch(batch).baseOffset, batch]))
    for (const [offset, batch] of this.#accepted) {
      if (kind === 'process' || new RecordBatch(batch).nextOffset <= this.#syncedEnd)
        expect(text(found.get(offset) ?? new Uint8Array()), `batch at ${offset}, synced up to ${this.#syncedEnd}`).toBe(
          text(batch),
        )
    }
    this.#compareWithFresh(batches)
    this.#accepted = found
    this.#epoch = Math.max(this.#epoch, this.log.latestEpoch ?? 0) + 1
    this.#syncedEnd = Math.min(this.#syncedEnd, this.log.logEndOffset)
    this.#learnProducers()
  }

  /** All that is derived from records is as in a follower that was given the same records. */
  #compareWithFresh(batches: readonly Uint8Array[]): void {
    const clock = this.#clock
    const options = { disk: new VirtualDisk(), clock, random: new Prng(1), path: 'data', clusterId: 'c', nodeId: 1 }
    const fresh = LogDirectory.open(options).create('t', 0, TOPIC_ID, CONFIG)
    if (batches.length > 0) expect(fresh.appendAsFollower(concat(batches), Number.MAX_SAFE_INTEGER)).toBeUndefined()
    for (const log of [fresh, this.log]) log.updateHighWatermark(log.logEndOffset)
    expect(describeLog(this.log)).toEqual(describeLog(fresh))
  }
}

function describeLog(log: PartitionLog) {
  return {
    end: log.logEndOffset,
    lastStableOffset: log.lastStableOffset,
    epochs: log.leaderEpochs,
    producers: log.activeProducers().sort((a, b) => a.producerId - b.producerId),
    aborted: log.abortedTransactions(0, log.logEndOffset),
    maxTimestamp: log.maxTimestamp()?.timestamp,
  }
}

function readBatches(log: PartitionLog): Uint8Array[] {
  const batches: Uint8Array[] = []
  for (let next = 0; ;) {
    const read = log.read(next, 700, log.logEndOffset, true)
    if ('error' in read) throw new Error(read.message)
    if (read.bytes === 0) return batches
    const bytes = concat(read.chunks)
    for (let at = 0; at < bytes.length; at += new RecordBatch(bytes, at).sizeInBytes)
      batches.push(new RecordBatch(bytes, at).slice())
    next = read.nextOffset
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

describe.each(['process', 'power'] as const)('a crash, %s,', (kind) => {
  it('at every operation of one run', () => {
    const counted = new World(new Prng(7))
    counted.start()
    counted.crashAfter(Number.POSITIVE_INFINITY)
    counted.use(40)
    expect(counted.operations).toBeGreaterThan(60)
    for (let point = 0; point < counted.operations; point++) {
      const world = new World(new Prng(7))
      world.start()
      world.crashAfter(point)
      expect(world.use(40)).toBe(true)
      world.crash(kind)
      world.recoverAndCheck(kind)
    }
  })

  it('again and again, at random', () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = new Prng(seed)
      const world = new World(random)
      world.start()
      try {
        for (let round = 0; round < 6; round++) {
          world.crashAfter(random.below(120))
          world.use(60)
          world.crash(kind)
          world.recoverAndCheck(kind)
        }
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
      }
    }
  })

  it('while it recovers from a crash', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = new Prng(seed)
      const world = new World(random)
      world.start()
      world.crashAfter(20 + random.below(100))
      world.use(60)
      world.crash(kind)
      for (let again = 0; again < 3; again++) {
        world.crashAfter(random.below(25))
        try {
          world.start()
        } catch (error) {
          const expected = error instanceof Crash || error instanceof DiskError || (error as Error).name === 'Refusal'
          expect(expected, `seed ${seed}: ${(error as Error).stack}`).toBe(true)
        }
        world.crash(kind)
      }
      world.recoverAndCheck(kind)
    }
  })
})
