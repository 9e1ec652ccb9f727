// Segments: when a new one begins, when an old one goes, and what a read takes from them.
import { RecordBatch, buildBatch } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LOG_CONFIG, TailBudget, type LogConfig, type PartitionLog } from '../src/index.ts'
import { concat, decodeAll, fixture, readAll, values } from './support.ts'

const NOW = 1_700_000_000_000
const BATCH = values(['x'.repeat(100)]).length

function filled(config: Partial<LogConfig>, count: number, timestamp: (i: number) => number = () => NOW) {
  const made = fixture(config)
  const log = made.open()
  for (let i = 0; i < count; i++) log.appendAsLeader(values(['x'.repeat(100)], { timestamp: timestamp(i) }), 0, 'client')
  log.updateHighWatermark(count)
  return { ...made, log }
}

const bases = (disk: { list(path: string): string[] }) =>
  disk
    .list('data/t-0')
    .filter((name) => name.endsWith('.log'))
    .map((name) => Number(name.slice(0, 20)))

describe('a new segment begins', () => {
  it('when the next batch does not fit', () => {
    const { disk, log } = filled({ segmentBytes: BATCH * 3 }, 8)
    expect(bases(disk)).toEqual([0, 3, 6])
    expect(log.segmentCount).toBe(3)
    expect(log.sizeBytes).toBe(BATCH * 8)
    expect(log.recoveryPoint).toBe(6)
  })

  it('when the first record is old, by the time of the records', () => {
    const hour = 3_600_000
    const { disk } = filled({ segmentMs: 10 * hour, timestampAfterMaxMs: 1e12 }, 5, (i) => NOW + i * 6 * hour)
    expect(bases(disk)).toEqual([0, 2, 4])
  })

  it('when the segment is old, where records carry no time', () => {
    const { disk, clock, log } = filled({ segmentMs: 1000 }, 1, () => -1)
    clock.now += 1000
    log.appendAsLeader(values(['a'], { timestamp: -1 }), 0, 'client')
    clock.now += 1
    log.appendAsLeader(values(['a'], { timestamp: -1 }), 0, 'client')
    expect(bases(disk)).toEqual([0, 2])
  })

  it('when the index is full', () => {
    const { disk } = filled({ segmentIndexBytes: 24, indexIntervalBytes: 0 }, 20, (i) => NOW + i)
    expect(bases(disk)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
  })

  it('when offsets would no longer fit its index', () => {
    const { disk, open } = fixture()
    const log = open()
    const far = (baseOffset: number) => values(['x'], { baseOffset, partitionLeaderEpoch: 0 })
    expect(log.appendAsFollower(far(5), 0)).toBeUndefined()
    expect(log.appendAsFollower(far(2 ** 31 + 10), 0)).toBeUndefined()
    expect(bases(disk)).toEqual([0, 6])
    expect(readAll(log).map((r) => r.offset)).toEqual([5, 2 ** 31 + 10])
  })
})

describe('retention', () => {
  it('by time removes what is older, the active segment too', () => {
    const { disk, log, clock } = filled(
      { segmentBytes: BATCH * 2, retentionMs: 1000, timestampBeforeMaxMs: 1e12 },
      6,
      (i) => NOW - 3000 + i * 500,
    )
    expect(log.deleteExpired(NOW)).toBe(2)
    expect([log.logStartOffset, log.segmentCount]).toEqual([4, 1])
    expect(log.deleteExpired(NOW + 500)).toBe(0)
    expect(log.deleteExpired(NOW + 501)).toBe(1)
    expect([log.logStartOffset, log.logEndOffset, log.segmentCount, log.sizeBytes]).toEqual([6, 6, 1, 0])
    expect(log.deleteExpired(clock.now + 1e9)).toBe(0)
    log.appendAsLeader(values(['on']), 0, 'client')
    expect(readAll(log)).toEqual([{ offset: 6, value: 'on' }])
    expect(bases(disk)).toEqual([6])
  })

  it('by size removes what is over, and no more', () => {
    const { log } = filled({ segmentBytes: BATCH * 2, retentionBytes: BATCH * 5, retentionMs: -1 }, 9)
    expect(log.deleteExpired(NOW)).toBe(2)
    expect(log.sizeBytes).toBe(BATCH * 5)
  })

  it('never passes the high watermark', () => {
    const made = fixture({ segmentBytes: BATCH * 2, retentionBytes: 0 })
    const log = made.open()
    for (let i = 0; i < 6; i++) log.appendAsLeader(values(['x'.repeat(100)]), 0, 'client')
    log.updateHighWatermark(3)
    expect(log.deleteExpired(NOW)).toBe(1)
    expect(log.logStartOffset).toBe(2)
  })

  it('removes what lies before the log start, whatever the policy', () => {
    const { log } = filled({ segmentBytes: BATCH * 2, compact: true, delete: false, retentionBytes: 0, retentionMs: 1 }, 0)
    for (let i = 0; i < 6; i++) {
      const record = { key: new TextEncoder().encode('k'), value: new Uint8Array(90), timestamp: NOW }
      log.appendAsLeader(buildBatch([record]), 0, 'client')
    }
    log.updateHighWatermark(6)
    expect(log.deleteExpired(NOW + 1e9)).toBe(0)
    log.advanceLogStartOffset(3)
    expect(log.deleteExpired(NOW)).toBe(1)
    expect([log.logStartOffset, log.segmentCount]).toEqual([3, 2])
  })

  it('can be off', () => {
    const { log } = filled({ segmentBytes: BATCH * 2, retentionMs: -1, retentionBytes: -1 }, 6)
    expect(log.deleteExpired(NOW + 1e12)).toBe(0)
  })
})

describe.each([
  ['from memory', undefined],
  ['from the disk', new TailBudget(0)],
])('a read %s', (_name, tailBudget) => {
  const open = (config: Partial<LogConfig> = {}) => fixture(config).open(tailBudget === undefined ? {} : { tailBudget })
  const offsets = (log: PartitionLog, from: number, maxBytes: number, limit: number, minOne: boolean) => {
    const read = log.read(from, maxBytes, limit, minOne)
    if ('error' in read) return read.message
    expect(concat(read.chunks).length).toBe(read.bytes)
    return decodeAll(concat(read.chunks)).map((record) => record.offset)
  }

  it('takes whole batches, up to the bytes and the offset asked for', () => {
    const log = open()
    for (let i = 0; i < 6; i++) log.appendAsLeader(values(['a'.repeat(40), 'b'.repeat(40)]), 0, 'client')
    const size = log.sizeBytes / 6
    expect(offsets(log, 0, size * 2, 12, true)).toEqual([0, 1, 2, 3])
    expect(offsets(log, 0, size * 2 - 1, 12, true)).toEqual([0, 1])
    expect(offsets(log, 0, size * 9, 7, true)).toEqual([0, 1, 2, 3, 4, 5])
    expect(offsets(log, 0, size * 9, 8, true)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(offsets(log, 3, size, 12, true)).toEqual([2, 3])
    expect(offsets(log, 4, 1, 12, true)).toEqual([4, 5])
    expect(offsets(log, 4, 1, 12, false)).toEqual([])
    expect(offsets(log, 4, 1000, 5, true)).toEqual([])
    expect(offsets(log, 12, 1000, 12, true)).toEqual([])
    expect(offsets(log, 10, 1_000_000, 12, true)).toEqual([10, 11])
  })

  it('takes a batch that is larger than any piece', () => {
    const log = open()
    log.appendAsLeader(values(['small']), 0, 'client')
    log.appendAsLeader(values(['x'.repeat(300_000)]), 0, 'client')
    log.appendAsLeader(values(['small']), 0, 'client')
    expect(offsets(log, 0, 1000, 3, true)).toEqual([0])
    expect(offsets(log, 1, 1000, 3, false)).toEqual([])
    expect(offsets(log, 1, 1000, 3, true)).toEqual([1])
    expect(offsets(log, 0, 1_000_000, 3, true)).toEqual([0, 1, 2])
    expect(offsets(log, 2, 1000, 3, true)).toEqual([2])
  })

  it('is right at every offset and every size', () => {
    const log = open({ indexIntervalBytes: 300, segmentBytes: 6000 })
    const ends: number[] = []
    for (let i = 0; i < 60; i++) {
      log.appendAsLeader(values(Array.from({ length: 1 + (i % 4) }, () => 'v'.repeat((i * 37) % 400))), 0, 'client')
      ends.push(log.logEndOffset)
    }
    for (let from = 0; from < log.logEndOffset; from++) {
      const start = ends.findLast((end) => end <= from) ?? 0
      for (const maxBytes of [1, 500, 5000]) {
        const read = offsets(log, from, maxBytes, log.logEndOffset, true) as number[]
        expect(read[0]).toBe(start)
        expect(ends).toContain(read.at(-1)! + 1)
        expect(read).toEqual(read.map((_, i) => start + i))
      }
    }
  })
})

describe('the memory tail', () => {
  it('does not change what it has handed out', () => {
    const log = fixture().open()
    for (let i = 0; i < 3; i++) log.appendAsLeader(values([`v${i}`]), 0, 'client')
    const read = log.read(0, 10_000, 3, true)
    if ('error' in read) throw new Error(read.message)
    const before = concat(read.chunks)
    log.truncateTo(1)
    for (let i = 0; i < 50; i++) log.appendAsLeader(values([`other ${i}`]), 1, 'client')
    expect(concat(read.chunks)).toEqual(before)
  })

  it('holds no large buffer alive for a small batch', () => {
    const log = fixture().open()
    const request = new Uint8Array(500_000)
    const batch = values(['x'.repeat(20_000)])
    request.set(batch, 1000)
    log.appendAsLeader(request.subarray(1000, 1000 + batch.length), 0, 'client')
    const read = log.read(0, 100_000, 1, true)
    if ('error' in read) throw new Error(read.message)
    expect(read.chunks[0]!.buffer.byteLength).toBeLessThan(30_000)
  })

  it('keeps to the memory that all logs share', () => {
    const budget = new TailBudget(200_000)
    const logs = Array.from({ length: 10 }, () => fixture().open({ tailBudget: budget }))
    for (let i = 0; i < 100; i++) {
      for (const log of logs) log.appendAsLeader(values(['x'.repeat(1000)]), 0, 'client')
      expect(budget.usedBytes).toBeLessThanOrEqual(200_000)
    }
    expect(budget.usedBytes).toBeGreaterThan(100_000)
    for (const log of logs) expect(readAll(log)).toHaveLength(100)
    for (const log of logs) log.close()
    expect(budget.usedBytes).toBe(0)
  })
})

describe('offsets by time', () => {
  it('are of the first record at that time or later', () => {
    const config = { segmentBytes: 2000, indexIntervalBytes: 200, timestampBeforeMaxMs: 1e12 }
    const made = fixture(config)
    const log = made.open()
    const times: number[] = []
    for (let i = 0; i < 40; i++) {
      // Two records a batch, some batches late, some compressed.
      const base = NOW - 100_000 + i * 100 - (i % 7 === 0 ? 1000 : 0)
      times.push(base, base + 30)
      const records = [base, base + 30].map((timestamp) => ({ key: null, value: new Uint8Array(30), timestamp }))
      log.appendAsLeader(buildBatch(records, { codec: i % 5 }), i >> 3, 'client')
    }
    const expected = (time: number) => times.findIndex((t) => t >= time)
    for (let time = NOW - 102_000; time < NOW - 95_000; time += 35) {
      const found = log.offsetForTimestamp(time, log.logEndOffset)
      if (expected(time) === -1) expect(found).toBeUndefined()
      else
        expect(found).toMatchObject({
          offset: expected(time),
          timestamp: times[expected(time)],
          leaderEpoch: expected(time) >> 4,
        })
    }
    const latest = Math.max(...times)
    expect(log.maxTimestamp()).toMatchObject({ offset: times.indexOf(latest), timestamp: latest })
    log.updateHighWatermark(log.logEndOffset)
    log.advanceLogStartOffset(33)
    expect(log.offsetForTimestamp(0, log.logEndOffset)).toMatchObject({ offset: 33 })
    expect(log.offsetForTimestamp(times[60]!, 60)).toBeUndefined()
  })

  it('are none in an empty log', () => {
    const log = fixture().open()
    expect(log.offsetForTimestamp(0, 0)).toBeUndefined()
    expect(log.maxTimestamp()).toBeUndefined()
  })
})

describe('flushing', () => {
  it('is as often as the topic wants', () => {
    const made = fixture({ flushMessages: 3 })
    const log = made.open()
    for (let i = 1; i <= 7; i++) {
      log.appendAsLeader(values(['x']), 0, 'client')
      expect(log.recoveryPoint).toBe(i - (i % 3))
    }
  })

  it('is as soon as the topic wants', () => {
    const made = fixture({ flushMs: 1000 })
    const log = made.open()
    log.appendAsLeader(values(['x']), 0, 'client')
    log.flushIfDue(made.clock.now + 999)
    expect(log.recoveryPoint).toBe(0)
    log.flushIfDue(made.clock.now + 1000)
    expect(log.recoveryPoint).toBe(1)
  })

  it('that fails is not tried again', () => {
    const made = fixture()
    const log = made.open()
    log.appendAsLeader(values(['x']), 0, 'client')
    let syncs = 0
    made.disk.fault = ({ operation }) => {
      if (operation !== 'sync') return undefined
      syncs++
      return { code: 'EIO' }
    }
    log.flush()
    log.flush()
    log.close()
    expect(syncs).toBe(1)
    expect(log.recoveryPoint).toBe(0)
  })
})

describe('the size of things', () => {
  it('an idle partition holds no file open and no index', () => {
    const opened: string[] = []
    const made = fixture()
    made.disk.fault = ({ operation, path }) => {
      if (operation === 'open') opened.push(path)
      return undefined
    }
    const log = made.open()
    log.assignEpochStart(0, 0)
    log.close()
    expect(opened).toEqual([])
  })

  it('a batch gets its offset in the request, uncopied', () => {
    const log = fixture().open()
    log.appendAsLeader(values(['x']), 0, 'client')
    const batch = values(['y'])
    log.appendAsLeader(batch, 9, 'client')
    expect([new RecordBatch(batch).baseOffset, new RecordBatch(batch).partitionLeaderEpoch]).toEqual([1, 9])
  })

  it('defaults are Kafka’s', () => {
    expect(DEFAULT_LOG_CONFIG).toMatchObject({ segmentBytes: 1 << 30, retentionMs: 604_800_000, maxMessageBytes: 1_048_588 })
  })
})
