// Files that are not as they were left: each is found out at start or at the first read, and made good from the records.
import { Errors } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import type { PartitionLog } from '../src/index.ts'
import { decodeAll, fixture, produced, readAll, values, type Fixture } from './support.ts'
import { buildEndTransactionMarker } from '@faultline/protocol'

const FOLDER = 'data/t-0'

/** Three segments with epochs, producers and an aborted transaction in each, closed. */
function written(): Fixture & { readonly before: ReturnType<typeof describeLog>; readonly end: number } {
  const made = fixture({ segmentBytes: 1500, indexIntervalBytes: 150 })
  const log = made.open()
  for (let i = 0; log.segmentCount < 3 || i % 5 !== 0; i++) {
    made.clock.now += 10
    log.appendAsLeader(values([`v${i}`], { timestamp: made.clock.now }), i >> 2, 'client')
    log.appendAsLeader(produced(7, 0, i, 1, { transactional: true }), i >> 2, 'client')
    const marker = { producerId: 7, producerEpoch: 0, coordinatorEpoch: 1, result: i % 2 === 0 ? 'abort' : 'commit' } as const
    log.appendAsLeader(buildEndTransactionMarker(marker, made.clock.now), i >> 2, 'coordinator')
  }
  const before = describeLog(log)
  log.close()
  return { ...made, before, end: log.logEndOffset }
}

function describeLog(log: PartitionLog) {
  log.updateHighWatermark(log.logEndOffset)
  return {
    records: readAll(log),
    seeks: readAll(log).map(({ offset }) => {
      const read = log.read(offset, 1, log.logEndOffset, true)
      return 'error' in read ? read : decodeAll(read.chunks[0]!)[0]?.offset
    }),
    byTime: [0, 55, 105, 200, 1000].map((after) => log.offsetForTimestamp(1_700_000_000_000 + after, log.logEndOffset)),
    maxTimestamp: log.maxTimestamp(),
    epochs: log.leaderEpochs,
    producers: log.activeProducers(),
    aborted: log.abortedTransactions(0, log.logEndOffset),
    lastStableOffset: log.lastStableOffset,
  }
}

const SPOILS: Record<string, (bytes: Uint8Array) => Uint8Array | undefined> = {
  absent: () => undefined,
  empty: () => new Uint8Array(0),
  zeros: (bytes) => new Uint8Array(bytes.length),
  'cut short': (bytes) => bytes.subarray(0, bytes.length - 5),
  'half of it': (bytes) => bytes.subarray(0, bytes.length >> 1),
  rubbish: (bytes) => bytes.map((byte, i) => byte ^ (i * 37 + 11)),
  'too long': (bytes) => new Uint8Array([...bytes, ...bytes]),
}

function spoil({ disk }: Fixture, name: string, change: (bytes: Uint8Array) => Uint8Array | undefined): void {
  const path = `${FOLDER}/${name}`
  const file = disk.open(path, 'rw')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0)
  file.close()
  const changed = change(bytes)
  disk.remove(path)
  if (changed !== undefined) disk.open(path, 'rw').write(changed, 0)
}

describe.each(['.index', '.timeindex', 'leader-epoch-checkpoint', '.snapshot'])('every %s', (suffix) => {
  it.each(Object.keys(SPOILS))('%s', (name) => {
    const made = written()
    for (const file of made.disk.list(FOLDER)) if (file.endsWith(suffix)) spoil(made, file, SPOILS[name]!)
    const log = made.open({ recoveryPoint: made.end })
    // A time index that is whole, but of fewer entries, is believed; it cannot be told from the right one.
    expect(describeLog(log)).toEqual(made.before)
    expect(log.recoveredBytes).toBe(0)
    expect(log.failure).toBeUndefined()
  })
})

describe('the index of aborted transactions', () => {
  // Without an entry, or with fewer whole ones, it cannot be told from a right one.
  it.each(Object.keys(SPOILS).filter((name) => !['absent', 'empty', 'half of it'].includes(name)))('%s', (name) => {
    const made = written()
    for (const file of made.disk.list(FOLDER)) if (file.endsWith('.txnindex')) spoil(made, file, SPOILS[name]!)
    for (let opened = 0; opened < 2; opened++) {
      const log = made.open({ recoveryPoint: made.end })
      expect(describeLog(log)).toEqual(made.before)
      log.close()
    }
  })

  it.each(Object.keys(SPOILS))('%s, after an unclean stop', (name) => {
    const made = written()
    for (const file of made.disk.list(FOLDER)) if (file.endsWith('.txnindex')) spoil(made, file, SPOILS[name]!)
    expect(describeLog(made.open({ cleanShutdown: false, recoveryPoint: 0 }))).toEqual(made.before)
  })
})

describe('damage to the records', () => {
  it('of the last segment cuts it off there, even after a clean stop', () => {
    const made = written()
    const last = made.disk
      .list(FOLDER)
      .filter((name) => name.endsWith('.log'))
      .at(-1)!
    spoil(made, last, (bytes) => bytes.map((byte, i) => (i > bytes.length - 30 ? 0 : byte)))
    const log = made.open({ recoveryPoint: made.end })
    const kept = readAll(log)
    expect(kept).toEqual(made.before.records.slice(0, kept.length))
    expect(kept.length).toBeGreaterThan(made.before.records.length - 5)
  })

  it('of any segment after the recovery point cuts off all that follows', () => {
    const made = written()
    const [first] = made.disk.list(FOLDER).filter((name) => name.endsWith('.log'))
    spoil(made, first!, (bytes) => bytes.map((byte, i) => (i === 700 ? byte ^ 1 : byte)))
    const log = made.open({ cleanShutdown: false, recoveryPoint: 0 })
    expect(log.segmentCount).toBe(1)
    expect(log.recoveredBytes).toBeGreaterThan(1500)
    expect(readAll(log)).toEqual(made.before.records.slice(0, readAll(log).length))
    log.appendAsLeader(values(['next']), 99, 'client')
    expect(readAll(log).at(-1)!.value).toBe('next')
  })

  it('below the recovery point is met by the reader, and answered', () => {
    const made = written()
    const [first] = made.disk.list(FOLDER).filter((name) => name.endsWith('.log'))
    spoil(made, first!, (bytes) => new Uint8Array(bytes.length))
    const log = made.open({ recoveryPoint: made.end })
    expect(log.read(0, 1000, made.end, true)).toMatchObject({ error: Errors.CORRUPT_MESSAGE })
    expect(log.failure).toBeUndefined()
  })

  it.each([1, 11, 12, 60, 61, 100])('a torn append of %i bytes is cut off', (size) => {
    const made = written()
    const last = made.disk
      .list(FOLDER)
      .filter((name) => name.endsWith('.log'))
      .at(-1)!
    const torn = values(['x'.repeat(100)], { baseOffset: made.end, partitionLeaderEpoch: 50 }).subarray(0, size)
    spoil(made, last, (bytes) => new Uint8Array([...bytes, ...torn]))
    for (const cleanShutdown of [false, true]) {
      const log = made.open({ cleanShutdown, recoveryPoint: made.end })
      expect(log.logEndOffset).toBe(made.end)
      expect(describeLog(log)).toEqual(made.before)
      log.close()
    }
  })

  it('a read error takes the log offline', () => {
    const made = written()
    const log = made.open({ recoveryPoint: made.end })
    made.disk.fault = ({ operation }) => (operation === 'read' ? { code: 'EIO' } : undefined)
    expect(log.read(0, 1000, made.end, true)).toMatchObject({ error: Errors.KAFKA_STORAGE_ERROR })
    made.disk.fault = undefined
    expect(log.appendAsLeader(values(['x']), 99, 'client')).toMatchObject({ error: Errors.KAFKA_STORAGE_ERROR })
    expect(log.failure?.code).toBe('EIO')
  })
})

describe('what interrupted work left behind', () => {
  it('is cleared away', () => {
    const made = written()
    const names = ['00000000000000000003.log.deleted', 'x.tmp', '00000000000000000099.index', '00000000000000000000.log.cleaned']
    for (const name of names) made.disk.open(`${FOLDER}/${name}`, 'rw').write(new Uint8Array(10), 0)
    expect(describeLog(made.open({ recoveryPoint: made.end }))).toEqual(made.before)
    for (const name of names) expect(made.disk.exists(`${FOLDER}/${name}`), name).toBe(false)
  })
})
