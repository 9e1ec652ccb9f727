// Compaction: the last record of every key is kept, and what producers, transactions and slow readers need besides.
import { Prng } from '@faultline/base'
import { RecordBatch, buildBatch, buildEndTransactionMarker, checkBatch, type BatchOptions } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { VirtualDisk } from '../../sim/src/disk/virtual-disk.ts'
import { DEFAULT_LOG_CONFIG, LogDirectory, type CleaningStep, type LogConfig, type PartitionLog } from '../src/index.ts'
import { TOPIC_ID, TestClock, concat, decodeAll, fixture, readAll, type Fixture } from './support.ts'

const COMPACTED: Partial<LogConfig> = {
  compact: true,
  delete: false,
  segmentBytes: 400,
  indexIntervalBytes: 100,
  minCleanableDirtyRatio: 0,
}
const MAP_BYTES = 1_000_000
const bytes = (text: string) => new TextEncoder().encode(text)

/** "k=v" is a record, "k=" a tombstone. */
function keyed(text: string, timestamp = 1_700_000_000_000, options: BatchOptions = {}): Uint8Array {
  const records = text.split(' ').map((pair) => {
    const [key, value] = pair.split('=')
    return { key: bytes(key!), value: value === '' ? null : bytes(value!), timestamp }
  })
  return buildBatch(records, options)
}

class Compacted {
  readonly made: Fixture
  log: PartitionLog
  constructor(config: Partial<LogConfig> = {}) {
    this.made = fixture({ ...COMPACTED, ...config })
    this.log = this.made.open()
  }

  append(batch: Uint8Array, origin: 'client' | 'coordinator' = 'client'): void {
    expect(this.log.appendAsLeader(batch, 0, origin)).toMatchObject({ error: 0 })
    this.log.updateHighWatermark(this.log.logEndOffset)
  }

  /** Fills the active segment, so that all before it is sealed. */
  seal(): void {
    this.append(keyed(`~=~${'x'.repeat(320)}`))
    this.append(keyed(`~=~${'x'.repeat(320)}`))
  }

  clean(): CleaningStep {
    const cleanable = this.log.cleanable(this.made.clock.now)
    if (cleanable === undefined) return 'void'
    const step = this.log.startCleaning(cleanable, this.made.clock.now, MAP_BYTES)
    for (;;) {
      const outcome = step()
      if (outcome !== 'more') return outcome
    }
  }

  batches(): RecordBatch[] {
    const all: RecordBatch[] = []
    for (let next = this.log.logStartOffset; ;) {
      const piece = this.log.read(next, 1_000_000, this.log.logEndOffset, true)
      if ('error' in piece) throw new Error(piece.message)
      if (piece.bytes === 0) return all
      const chunk = concat(piece.chunks)
      for (let at = 0; at < chunk.length; at += new RecordBatch(chunk, at).sizeInBytes) {
        expect(checkBatch(chunk, at)).toBeUndefined()
        all.push(new RecordBatch(chunk, at))
      }
      next = piece.nextOffset
    }
  }

  /** As text, without the filling. */
  content(): string {
    return this.batches()
      .flatMap((batch) => (batch.isControl ? [`${batch.baseOffset}:marker`] : decodeKeys(batch)))
      .filter((record) => !record.includes('~'))
      .join(' ')
  }

  reopen(cleanShutdown: boolean): void {
    const end = this.log.logEndOffset
    if (cleanShutdown) this.log.close()
    this.made.disk.crashProcess()
    this.log = this.made.open({ cleanShutdown, recoveryPoint: cleanShutdown ? end : 0, highWatermark: end })
  }
}

function decodeKeys(batch: RecordBatch): string[] {
  if (batch.recordCount === 0) return [`${batch.baseOffset}:empty`]
  return decodeAll(batch.slice()).map(({ offset, value }) => `${offset}:${value}`)
}

describe('cleaning', () => {
  it('keeps the last record of each key, at its offset', () => {
    const compacted = new Compacted()
    compacted.append(keyed('a=a1 b=b1 c=c1'))
    compacted.append(keyed('a=a2 b=b2'))
    compacted.append(keyed('a=a3 d=d1'))
    compacted.seal()
    const { log } = compacted
    const before = [log.logStartOffset, log.logEndOffset, log.highWatermark]
    expect(compacted.clean()).toBe('cleaned')
    expect(compacted.content()).toBe('2:c1 4:b2 5:a3 6:d1')
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual(before)
    for (const cleanShutdown of [true, false]) {
      compacted.reopen(cleanShutdown)
      expect(compacted.content()).toBe('2:c1 4:b2 5:a3 6:d1')
      expect(compacted.log.logEndOffset).toBe(before[1])
    }
  })

  it('leaves the active segment, and what is not replicated or not decided', () => {
    const compacted = new Compacted()
    compacted.append(keyed('a=a1'))
    compacted.append(keyed('a=a2'))
    expect(compacted.log.cleanable(0)).toBeUndefined()
    compacted.append(keyed('t=t1', undefined, { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true }))
    compacted.seal()
    expect(compacted.log.cleanable(0)).toBeUndefined()
    compacted.append(
      buildEndTransactionMarker({ producerId: 5, producerEpoch: 0, coordinatorEpoch: 0, result: 'commit' }, 0),
      'coordinator',
    )
    expect(compacted.log.cleanable(0)).toBeDefined()
  })

  it('merges segments that have become small', () => {
    const compacted = new Compacted()
    for (let i = 0; i < 60; i++) compacted.append(keyed(`k${i % 3}=${'v'.repeat(20)}${i}`))
    compacted.seal()
    const before = compacted.log.segmentCount
    compacted.clean()
    expect(compacted.log.segmentCount).toBe(before)
    // Now they are small.
    compacted.seal()
    compacted.clean()
    expect(compacted.log.segmentCount).toBeLessThan(before / 2)
    expect(
      readAll(compacted.log)
        .slice(0, 3)
        .map((r) => r.offset),
    ).toEqual([57, 58, 59])
  })

  it('keeps a tombstone until every reader had time to see it', () => {
    const compacted = new Compacted({ deleteRetentionMs: 1000 })
    compacted.append(keyed('a=a1 b=b1'))
    compacted.append(keyed('a='))
    compacted.seal()
    compacted.clean()
    expect(compacted.content()).toBe('1:b1 2:null')
    const [tombstone] = compacted.batches().filter((batch) => batch.hasDeleteHorizon)
    expect(tombstone!.baseTimestamp).toBe(compacted.made.clock.now + 1000)
    expect(decodeAll(tombstone!.slice())).toEqual([{ offset: 2, value: null }])
    compacted.seal()
    compacted.made.clock.now += 999
    compacted.clean()
    expect(compacted.content()).toBe('1:b1 2:null')
    compacted.seal()
    compacted.made.clock.now += 1
    compacted.clean()
    expect(compacted.content()).toBe('1:b1')
  })

  it('keeps timestamps when a horizon takes the place of the base', () => {
    const compacted = new Compacted()
    compacted.append(keyed('a= b=b1', 1_699_999_999_000))
    compacted.seal()
    compacted.clean()
    expect(compacted.log.offsetForTimestamp(0, 2)).toMatchObject({ offset: 0, timestamp: 1_699_999_999_000 })
  })

  it('keeps the last sequence number of a producer, even without its records', () => {
    const compacted = new Compacted()
    compacted.append(keyed('a=a1 b=b1', undefined, { producerId: 5, producerEpoch: 3, baseSequence: 0 }))
    compacted.append(keyed('a=a2 b=b2', undefined, { producerId: 5, producerEpoch: 3, baseSequence: 2 }))
    compacted.append(keyed('a=a3 b=b3'))
    compacted.seal()
    compacted.clean()
    expect(compacted.content()).toBe('2:empty 4:a3 5:b3')
    expect(compacted.batches()[0]).toMatchObject({
      baseOffset: 2,
      lastOffset: 3,
      baseSequence: 2,
      lastSequence: 3,
      recordCount: 0,
    })
    compacted.reopen(false)
    expect(compacted.log.activeProducers()).toMatchObject([{ producerId: 5, producerEpoch: 3, lastSequence: 3 }])
    expect(
      compacted.log.appendAsLeader(
        keyed('a=a2 b=b2', undefined, { producerId: 5, producerEpoch: 3, baseSequence: 2 }),
        0,
        'client',
      ),
    ).toMatchObject({
      duplicate: true,
      firstOffset: 2,
    })
  })

  it('removes what was aborted at once, and its marker when it marks nothing any more', () => {
    const compacted = new Compacted({ deleteRetentionMs: 1000 })
    const inTransaction = (text: string, baseSequence: number) =>
      keyed(text, undefined, { producerId: 5, producerEpoch: 0, baseSequence, transactional: true })
    const marker = (result: 'commit' | 'abort') =>
      buildEndTransactionMarker({ producerId: 5, producerEpoch: 0, coordinatorEpoch: 0, result }, compacted.made.clock.now)
    compacted.append(keyed('a=a1'))
    compacted.append(inTransaction('a=aborted', 0))
    compacted.append(marker('abort'), 'coordinator')
    compacted.append(inTransaction('b=b1', 1))
    compacted.append(marker('commit'), 'coordinator')
    compacted.append(inTransaction('c=c1', 2))
    compacted.append(marker('commit'), 'coordinator')
    compacted.append(keyed('b=b2'))
    compacted.seal()
    compacted.clean()
    // The aborted record did not shadow a1. All markers stay for now.
    expect(compacted.content()).toBe('0:a1 2:marker 4:marker 5:c1 6:marker 7:b2')
    compacted.seal()
    compacted.clean()
    compacted.made.clock.now += 1001
    compacted.seal()
    compacted.clean()
    // The last marks a record that is there.
    expect(compacted.content()).toBe('0:a1 5:c1 6:marker 7:b2')
    expect(compacted.log.abortedTransactions(0, compacted.log.logEndOffset)).toEqual([])
  })

  it('cleans batches of every codec, and keeps the codec', () => {
    for (const codec of [1, 2, 3, 4]) {
      const compacted = new Compacted()
      compacted.append(keyed('a=a1 b=b1', undefined, { codec }))
      compacted.append(keyed('a=a2', undefined, { codec }))
      compacted.seal()
      compacted.clean()
      expect(compacted.content()).toBe('1:b1 2:a2')
      expect(compacted.batches()[0]!.codec).toBe(codec)
    }
  })

  it('goes as far as its memory allows, and on from there the next time', () => {
    const compacted = new Compacted()
    for (let round = 0; round < 2; round++) for (let i = 0; i < 40; i++) compacted.append(keyed(`key${i}=${round}`))
    compacted.seal()
    let passes = 0
    for (;;) {
      const cleanable = compacted.log.cleanable(0)
      if (cleanable === undefined) break
      const step = compacted.log.startCleaning(cleanable, 0, 1500)
      while (step() === 'more') {}
      passes++
      expect(passes).toBeLessThan(20)
    }
    expect(passes).toBeGreaterThan(3)
    expect(compacted.content()).toBe(Array.from({ length: 40 }, (_, i) => `${40 + i}:1`).join(' '))
  })

  it('waits for min.compaction.lag.ms', () => {
    const compacted = new Compacted({ minCompactionLagMs: 1000 })
    compacted.append(keyed('a=a1'))
    compacted.append(keyed('a=a2'))
    compacted.seal()
    expect(compacted.log.cleanable(compacted.made.clock.now + 999)).toBeUndefined()
    expect(compacted.log.cleanable(compacted.made.clock.now + 1001)).toBeDefined()
  })

  it('is due when dirty enough, or after max.compaction.lag.ms', () => {
    const compacted = new Compacted({ minCleanableDirtyRatio: 0.5, maxCompactionLagMs: 10_000 })
    for (let i = 0; i < 40; i++) compacted.append(keyed(`k${i}=v`))
    compacted.seal()
    const { clock } = compacted.made
    expect(compacted.log.cleanable(clock.now)).toMatchObject({ dirtyRatio: 1, isDue: true })
    compacted.clean()
    for (let i = 0; i < 10; i++) compacted.append(keyed(`k${i}=v`))
    compacted.append(keyed('k=v'))
    expect(compacted.log.cleanable(clock.now)).toMatchObject({ isDue: false })
    expect(compacted.log.cleanable(clock.now + 10_001)).toMatchObject({ isDue: true })
  })

  it('stops when the log is cut under it', () => {
    for (const cut of [(log: PartitionLog) => log.truncateTo(5), (log: PartitionLog) => log.close()]) {
      const compacted = new Compacted()
      for (let i = 0; i < 30; i++) compacted.append(keyed(`k${i % 3}=v${i}`))
      const step = compacted.log.startCleaning(compacted.log.cleanable(0)!, 0, MAP_BYTES)
      for (let i = 0; i < 6; i++) expect(step()).toBe('more')
      cut(compacted.log)
      expect(step()).toBe('void')
      expect(compacted.made.disk.list('data/t-0').filter((name) => name.endsWith('.cleaned'))).toEqual([])
    }
  })

  it('gives up on records that it cannot read, and leaves them', () => {
    const compacted = new Compacted()
    compacted.append(keyed('a=a1'))
    compacted.append(keyed('a=a2'))
    compacted.seal()
    const names = compacted.made.disk.list('data/t-0')
    compacted.made.disk.flipBit('data/t-0/00000000000000000000.log', 16, 0)
    expect(compacted.clean()).toBe('problem')
    expect(compacted.made.disk.list('data/t-0')).toEqual(names)
  })
})

describe('a crash while cleaning', () => {
  it.each(['process', 'power'] as const)('%s, at any operation, loses nothing', (kind) => {
    for (let point = 0; ; point++) {
      const compacted = new Compacted()
      for (let i = 0; i < 40; i++) compacted.append(keyed(`k${i % 7}=v${i}`))
      compacted.append(keyed('last='))
      compacted.seal()
      compacted.log.flush()
      compacted.made.disk.syncDirectory('')
      const wanted = latest(compacted)
      let left = point
      compacted.made.disk.fault = ({ operation }) => {
        if (left-- <= 0) throw new Error(`crash in ${operation}`)
        return undefined
      }
      let crashed = false
      try {
        compacted.clean()
      } catch {
        crashed = true
      }
      compacted.made.disk.fault = undefined
      const end = compacted.log.logEndOffset
      if (kind === 'process') compacted.made.disk.crashProcess()
      else compacted.made.disk.crashPower(new Prng(point))
      compacted.log = compacted.made.open({ cleanShutdown: false, recoveryPoint: end, highWatermark: end })
      expect(latest(compacted), `at operation ${point}`).toEqual(wanted)
      expect(compacted.log.logEndOffset).toBe(end)
      const offsets = readAll(compacted.log).map((record) => record.offset)
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
      expect(compacted.made.disk.list('data/t-0').filter((name) => /cleaned|swap/.test(name))).toEqual([])
      compacted.append(keyed('k1=afterwards'))
      compacted.seal()
      expect(compacted.clean()).toBe('cleaned')
      if (!crashed) return
    }
  })
})

/** What a reader of the whole log ends up with for each key. */
function latest(compacted: Compacted): Map<string, string> {
  const table = new Map<string, string>()
  for (const batch of compacted.batches()) {
    for (const { offset, value } of decodeAll(batch.slice()))
      table.set(/^v\d+$/.test(value ?? '') ? `k${Number(value!.slice(1)) % 7}` : `${offset}`, value ?? 'null')
  }
  return table
}

describe('the cleaner', () => {
  it('cleans what is due, in slices, and remembers how far it came', () => {
    const disk = new VirtualDisk()
    const clock = new TestClock()
    let next: (() => void) | undefined
    const delays: number[] = []
    clock.after = (delay, run) => {
      delays.push(delay)
      next = run
      return { cancel: () => (next = undefined) }
    }
    const open = () => LogDirectory.open({ disk, clock, random: new Prng(1), path: 'data', clusterId: 'c', nodeId: 1 })
    const directory = open()
    const config = { ...DEFAULT_LOG_CONFIG, ...COMPACTED, minCleanableDirtyRatio: 0.5 }
    const logs = [0, 1].map((partition) => directory.create('t', partition, TOPIC_ID, config))
    for (const log of logs) {
      for (let i = 0; i < 30; i++) log.appendAsLeader(keyed(`k${i % 3}=v${i}`), 0, 'client')
      log.updateHighWatermark(30)
    }
    directory.startCleaner({ backoffMs: 77 })
    let turns = 0
    for (let rests = 0; rests < 2; turns++) {
      if (delays.at(-1) === 77) rests++
      next!()
    }
    expect(turns).toBeGreaterThan(10)
    for (const log of logs) expect(readAll(log).length).toBeLessThan(15)
    const cleanedTo = logs.map((log) => log.cleanedTo)
    expect(cleanedTo[0]).toBeGreaterThan(15)
    directory.closeClean(1)
    expect(next).toBeUndefined()
    expect(open().partitions.map((log) => log.cleanedTo)).toEqual(cleanedTo)
  })
})
