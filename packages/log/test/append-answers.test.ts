// Every answer that a leader gives to a batch it does not take, and the cases beside them that it does take.
import {
  Errors,
  RecordBatch,
  buildBatch,
  buildEndTransactionMarker,
  errorName,
  type BatchOptions,
  type RecordToWrite,
} from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import type { AppendOptions, AppendResult, LogConfig, PartitionLog } from '../src/index.ts'
import { decodeAll, fixture, produced, readAll, values } from './support.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const NOW = 1_700_000_000_000

function answer(result: AppendResult): string {
  if (result.error !== 0) return errorName(result.error)
  return result.duplicate
    ? `DUPLICATE of ${result.firstOffset}-${result.lastOffset}`
    : `${result.firstOffset}-${result.lastOffset}`
}

const append = (log: PartitionLog, batch: Uint8Array, origin: 'client' | 'coordinator' = 'client', options: AppendOptions = {}) =>
  answer(log.appendAsLeader(batch, 0, origin, options))

/** One batch to a new log. */
function once(batch: Uint8Array, config: Partial<LogConfig> = {}): AppendResult {
  return fixture(config).open().appendAsLeader(batch, 0, 'client')
}

function spoiled(change: (view: DataView) => void, options: BatchOptions = {}): Uint8Array {
  const batch = values(['a', 'b'], options)
  change(new DataView(batch.buffer))
  new RecordBatch(batch).updateCrc()
  return batch
}

describe('a batch of bad structure', () => {
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'CORRUPT_MESSAGE'],
    ['a header cut short', values(['a']).subarray(0, 40), 'CORRUPT_MESSAGE'],
    ['a batch cut short', values(['a']).subarray(0, 65), 'CORRUPT_MESSAGE'],
    ['two batches', new Uint8Array([...values(['a']), ...values(['b'])]), 'INVALID_RECORD'],
    ['a base offset', values(['a'], { baseOffset: 5 }), 'INVALID_RECORD'],
    ['magic 1', spoiled((v) => v.setInt8(16, 1)), 'INVALID_RECORD'],
    ['a count of 0', spoiled((v) => v.setInt32(57, 0)), 'INVALID_RECORD'],
    ['a count that is too small', spoiled((v) => v.setInt32(57, 1)), 'INVALID_RECORD'],
    ['a negative last offset delta', spoiled((v) => v.setInt32(23, -1)), 'INVALID_RECORD'],
    ['a codec that does not exist', spoiled((v) => v.setInt16(21, 6)), 'INVALID_RECORD'],
    ['a control batch of a client', values(['a'], { control: true }), 'INVALID_RECORD'],
    ['a producer without a sequence', values(['a'], { producerId: 7, producerEpoch: 0 }), 'INVALID_RECORD'],
    ['a producer id beyond 2^53', spoiled((v) => v.setBigInt64(43, 2n ** 60n)), 'INVALID_RECORD'],
    ['records that are none', spoiled((v) => v.setInt8(61, 0x7f)), 'INVALID_RECORD'],
    ['log append time', values(['a'], { logAppendTime: NOW }), 'INVALID_TIMESTAMP'],
  ])('%s', (_name, batch, expected) => {
    expect(answer(once(batch))).toBe(expected)
  })

  it('says so when the checksum does not hold', () => {
    const batch = values(['a'])
    batch[batch.length - 1]! ^= 1
    expect(once(batch)).toMatchObject({ error: Errors.CORRUPT_MESSAGE, message: expect.stringContaining('checksum') })
  })

  it('is weighed before and after', () => {
    const batch = values(['a'.repeat(1000)])
    expect(answer(once(batch, { maxMessageBytes: batch.length }))).toBe('0-0')
    expect(answer(once(batch, { maxMessageBytes: batch.length - 1 }))).toBe('MESSAGE_TOO_LARGE')
    expect(answer(once(values(['a'.repeat(1000)]), { segmentBytes: 1000 }))).toBe('RECORD_LIST_TOO_LARGE')
    const random = Array.from({ length: 2000 }, (_, i) => ((i * 2654435761) >>> 7) & 0xff)
    const packed = buildBatch([{ key: null, value: new Uint8Array(50_000), timestamp: NOW }], { codec: 1 })
    expect(answer(once(packed, { maxMessageBytes: 10_000, compressionType: 'uncompressed' }))).toBe('MESSAGE_TOO_LARGE')
    const loose = buildBatch([{ key: null, value: Uint8Array.from(random), timestamp: NOW }])
    expect(answer(once(loose, { maxMessageBytes: 10_000, compressionType: 'gzip' }))).toBe('0-0')
  })
})

describe('a record of a compacted topic', () => {
  const compacted = { compact: true, delete: false }
  const keyed = { key: bytes('k'), value: null, timestamp: NOW }
  const bare = { key: null, value: bytes('v'), timestamp: NOW }

  it.each([0, 1, 2, 3, 4])('needs a key (codec %i)', (codec) => {
    expect(once(buildBatch([keyed, bare, keyed, bare], { codec }), compacted)).toEqual({
      error: Errors.INVALID_RECORD,
      message: expect.any(String),
      recordErrors: [
        { batchIndex: 1, message: expect.stringContaining('key') },
        { batchIndex: 3, message: expect.stringContaining('key') },
      ],
    })
    expect(answer(once(buildBatch([keyed, keyed], { codec }), compacted))).toBe('0-1')
  })

  it('must decompress', () => {
    for (const codec of [1, 2, 3, 4]) {
      const rubbish = buildBatch([keyed], { codec, compress: (_codec, plain) => plain.map((byte) => byte ^ 0x55) })
      expect(answer(once(rubbish, compacted)), `codec ${codec}`).toBe('CORRUPT_MESSAGE')
      // Nobody looks inside where no keys are asked for.
      expect(answer(once(rubbish.slice()))).toBe('0-0')
    }
  })

  it('is told of the first hundred only', () => {
    const result = once(buildBatch(Array.from({ length: 500 }, () => bare)), compacted)
    expect(result).toMatchObject({ recordErrors: { length: 100 } })
  })
})

describe('timestamps', () => {
  const at = (...timestamps: number[]) =>
    buildBatch(timestamps.map((timestamp) => ({ key: bytes('k'), value: bytes('v'), timestamp })))
  const HOUR = 3_600_000

  it('must be near', () => {
    expect(answer(once(at(NOW + HOUR)))).toBe('0-0')
    expect(once(at(NOW, NOW + HOUR + 1))).toMatchObject({ error: Errors.INVALID_TIMESTAMP, recordErrors: [{ batchIndex: 1 }] })
    expect(answer(once(at(0)))).toBe('0-0')
    expect(answer(once(at(-1), { timestampBeforeMaxMs: 1000 }))).toBe('0-0')
    expect(answer(once(at(NOW - 1000), { timestampBeforeMaxMs: 1000 }))).toBe('0-0')
    expect(answer(once(at(NOW - 1001), { timestampBeforeMaxMs: 1000 }))).toBe('INVALID_TIMESTAMP')
  })

  it('are looked at in the header where the records are compressed', () => {
    const packed = buildBatch([{ key: null, value: bytes('v'), timestamp: NOW + HOUR + 1 }], { codec: 1 })
    expect(answer(once(packed))).toBe('INVALID_TIMESTAMP')
  })

  it('win over missing keys', () => {
    const records: RecordToWrite[] = [
      { key: null, value: bytes('v'), timestamp: NOW },
      { key: bytes('k'), value: bytes('v'), timestamp: NOW + 2 * HOUR },
    ]
    expect(once(buildBatch(records), { compact: true })).toMatchObject({
      error: Errors.INVALID_TIMESTAMP,
      recordErrors: { length: 2 },
    })
  })

  it('give way to the broker where the topic says so', () => {
    const { open, clock } = fixture({ timestampType: 'LogAppendTime' })
    const log = open()
    clock.now += 5
    expect(log.appendAsLeader(at(0, 1), 0, 'client')).toMatchObject({ error: 0, logAppendTime: NOW + 5 })
    const again = produced(7, 0, 0)
    expect(log.appendAsLeader(again, 0, 'client')).toMatchObject({ logAppendTime: NOW + 5 })
    clock.now += 100
    expect(log.appendAsLeader(produced(7, 0, 0), 0, 'client')).toMatchObject({ duplicate: true, logAppendTime: NOW + 5 })
    expect(log.maxTimestamp()).toMatchObject({ timestamp: NOW + 5 })
  })

  it('of a header that lies are put right', () => {
    const log = fixture().open()
    const batch = at(NOW, NOW + 7)
    new RecordBatch(batch).setMaxTimestamp(NOW + 999)
    expect(append(log, batch)).toBe('0-1')
    expect(log.maxTimestamp()).toMatchObject({ offset: 1, timestamp: NOW + 7 })
  })
})

describe('compression', () => {
  it.each([
    ['uncompressed', 0],
    ['gzip', 1],
    ['snappy', 2],
    ['lz4', 3],
    ['zstd', 4],
  ] as const)('becomes %s where the topic says so', (compressionType, codec) => {
    for (const from of [0, 1, 4]) {
      const { open } = fixture({ compressionType })
      const log = open()
      expect(append(log, produced(7, 1, 0, 3, { codec: from, transactional: true }))).toBe('0-2')
      const read = log.read(0, 10_000, 3, true)
      if ('error' in read) throw new Error(read.message)
      const batch = new RecordBatch(read.chunks[0]!)
      expect([batch.codec, batch.producerId, batch.producerEpoch, batch.baseSequence, batch.isTransactional]).toEqual([
        codec,
        7,
        1,
        0,
        true,
      ])
      expect(decodeAll(read.chunks[0]!).map((r) => r.value)).toEqual(['7/1/0', '7/1/1', '7/1/2'])
    }
  })

  it('answers for rubbish that it would have to open', () => {
    const rubbish = values(['x'], { codec: 1, compress: (_codec, plain) => plain })
    expect(answer(once(rubbish, { compressionType: 'lz4' }))).toBe('CORRUPT_MESSAGE')
  })

  it('puts offsets in order that are not', () => {
    const records = [2, 0, 1].map((offsetDelta, i) => ({ key: null, value: bytes(`${i}`), timestamp: NOW, offsetDelta }))
    const log = fixture().open()
    expect(append(log, buildBatch(records, { lastOffsetDelta: 2 }))).toBe('0-2')
    expect(readAll(log)).toEqual([0, 1, 2].map((i) => ({ offset: i, value: `${i}` })))
  })
})

describe('an idempotent producer', () => {
  it('may repeat any of its last five batches, and no older one', () => {
    const log = fixture().open()
    for (let i = 0; i < 6; i++) expect(append(log, produced(7, 0, i * 2, 2))).toBe(`${i * 2}-${i * 2 + 1}`)
    for (let i = 5; i >= 1; i--) expect(append(log, produced(7, 0, i * 2, 2))).toBe(`DUPLICATE of ${i * 2}-${i * 2 + 1}`)
    expect(append(log, produced(7, 0, 0, 2))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(append(log, produced(7, 0, 10, 1))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(append(log, produced(7, 0, 13))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(append(log, produced(7, 0, 12))).toBe('12-12')
  })

  it('wraps its sequence', () => {
    const log = fixture().open()
    expect(append(log, produced(7, 0, 2147483646, 3))).toBe('0-2')
    expect(log.activeProducers()).toMatchObject([{ lastSequence: 0 }])
    expect(append(log, produced(7, 0, 2147483646, 3))).toBe('DUPLICATE of 0-2')
    expect(append(log, produced(7, 0, 1))).toBe('3-3')
    expect(append(log, produced(8, 0, 2147483647))).toBe('4-4')
    expect(append(log, produced(8, 0, 0))).toBe('5-5')
  })

  it('may begin anywhere when nothing is known of it', () => {
    const log = fixture().open()
    expect(append(log, produced(7, 3, 42))).toBe('0-0')
  })

  it('begins a new epoch at 0, and its old epoch is fenced', () => {
    const log = fixture().open()
    append(log, produced(7, 3, 42))
    expect(append(log, produced(7, 4, 43))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(append(log, produced(7, 4, 0))).toBe('1-1')
    expect(append(log, produced(7, 3, 43))).toBe('INVALID_PRODUCER_EPOCH')
    expect(append(log, produced(7, 3, 42))).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('is forgotten after a while, but not in a transaction', () => {
    const { open, clock, config } = fixture()
    const log = open()
    append(log, produced(7, 0, 0))
    append(log, produced(8, 0, 0, 1, { transactional: true }))
    log.expireProducers(clock.now + config.producerIdExpirationMs - 1)
    expect(log.activeProducers()).toHaveLength(2)
    log.expireProducers(clock.now + config.producerIdExpirationMs)
    expect(log.activeProducers()).toMatchObject([{ producerId: 8 }])
    expect(append(log, produced(7, 0, 55))).toBe('2-2')
  })

  it('is known again after a restart, and on a follower', () => {
    const { open } = fixture()
    const leader = open()
    for (let i = 0; i < 7; i++) append(leader, produced(7, 2, i))
    const read = leader.read(0, 10_000, 7, true)
    if ('error' in read) throw new Error(read.message)
    const follower = fixture().open()
    follower.appendAsFollower(new Uint8Array(Buffer.concat(read.chunks)), 0)
    leader.close()
    const reopened = open({ recoveryPoint: 7 })
    for (const log of [reopened, follower]) {
      expect(append(log, produced(7, 2, 6))).toBe('DUPLICATE of 6-6')
      expect(append(log, produced(7, 2, 7))).toBe('7-7')
    }
  })
})

describe('a transaction', () => {
  const inTransaction = (epoch: number, sequence: number) => produced(7, epoch, sequence, 1, { transactional: true })
  const marker = (producerEpoch: number, coordinatorEpoch: number, result: 'commit' | 'abort' = 'commit') =>
    buildEndTransactionMarker({ producerId: 7, producerEpoch, coordinatorEpoch, result }, NOW)

  it('goes on with its sequence after a marker of the same epoch', () => {
    const log = fixture().open()
    expect(append(log, inTransaction(0, 0))).toBe('0-0')
    expect(append(log, marker(0, 1), 'coordinator')).toBe('1-1')
    expect(append(log, inTransaction(0, 0))).toBe('DUPLICATE of 0-0')
    expect(append(log, inTransaction(0, 1))).toBe('2-2')
  })

  it('begins its sequence anew after a marker that bumped the epoch', () => {
    const log = fixture().open()
    append(log, inTransaction(0, 0))
    expect(append(log, marker(1, 1), 'coordinator', { transactionVersion: 2 })).toBe('1-1')
    expect(append(log, inTransaction(0, 1))).toBe('INVALID_PRODUCER_EPOCH')
    expect(append(log, inTransaction(1, 1))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(append(log, inTransaction(1, 0))).toBe('2-2')
  })

  it('takes no other records of that producer while it is open', () => {
    const log = fixture().open()
    append(log, inTransaction(0, 0))
    expect(append(log, produced(7, 0, 1))).toBe('INVALID_TXN_STATE')
    append(log, marker(0, 1), 'coordinator')
    expect(append(log, produced(7, 0, 1))).toBe('2-2')
  })

  it('is ended by a marker of its epoch or a later one', () => {
    const log = fixture().open()
    append(log, inTransaction(3, 0))
    expect(append(log, marker(2, 1), 'coordinator')).toBe('INVALID_PRODUCER_EPOCH')
    expect(append(log, marker(3, 1), 'coordinator', { transactionVersion: 2 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(append(log, marker(3, 1), 'coordinator')).toBe('1-1')
    expect(append(log, marker(3, 1), 'coordinator', { transactionVersion: 2 })).toBe('2-2')
  })

  it('is ended by no coordinator that has been replaced', () => {
    const log = fixture().open()
    append(log, inTransaction(0, 0))
    expect(append(log, marker(0, 5), 'coordinator')).toBe('1-1')
    append(log, inTransaction(0, 1))
    expect(append(log, marker(0, 4), 'coordinator')).toBe('TRANSACTION_COORDINATOR_FENCED')
    expect(append(log, marker(0, 5), 'coordinator')).toBe('3-3')
  })

  it('may hold batches of a coordinator that carry no sequence', () => {
    const log = fixture().open()
    const offsets = values(['group offsets'], { producerId: 7, producerEpoch: 2, transactional: true })
    expect(append(log, offsets, 'coordinator')).toBe('0-0')
    log.updateHighWatermark(1)
    expect(log.lastStableOffset).toBe(0)
    expect(append(log, values(['x'], { producerId: 7, producerEpoch: 1, transactional: true }), 'coordinator')).toBe(
      'INVALID_PRODUCER_EPOCH',
    )
  })

  it('is verified before its first batch, if asked for', () => {
    const log = fixture({ verifyTransactions: true }).open()
    const batch = inTransaction(0, 0)
    expect(append(log, batch)).toBe('INVALID_TXN_STATE')
    const guard = log.startVerification(new RecordBatch(batch), false)!
    expect(log.startVerification(new RecordBatch(batch), false)).toBe(guard)
    expect(append(log, inTransaction(0, 0), 'client', { guard: { producerId: 7 } })).toBe('INVALID_TXN_STATE')
    expect(append(log, inTransaction(0, 0), 'client', { guard })).toBe('0-0')
    expect(log.startVerification(new RecordBatch(inTransaction(0, 1)), false)).toBeUndefined()
    expect(append(log, inTransaction(0, 1))).toBe('1-1')
    expect(append(log, marker(0, 0), 'coordinator')).toBe('2-2')
    // A guard counts for one transaction.
    expect(append(log, inTransaction(0, 2), 'client', { guard })).toBe('INVALID_TXN_STATE')
  })

  it('may be verified while the marker of the one before it, which has the same epoch, arrives', () => {
    const log = fixture({ verifyTransactions: true }).open()
    const first = log.startVerification(new RecordBatch(inTransaction(0, 0)), true)!
    expect(append(log, inTransaction(0, 0), 'client', { guard: first })).toBe('0-0')
    const guard = log.startVerification(new RecordBatch(inTransaction(1, 0)), true)!
    expect(append(log, marker(1, 0), 'coordinator', { transactionVersion: 2 })).toBe('1-1')
    expect(append(log, inTransaction(1, 0), 'client', { guard })).toBe('2-2')
  })

  it('is not disturbed by the verification of an older epoch', () => {
    const log = fixture({ verifyTransactions: true }).open()
    const guard = log.startVerification(new RecordBatch(inTransaction(3, 0)), false)!
    log.startVerification(new RecordBatch(inTransaction(2, 7)), false)
    expect(append(log, inTransaction(3, 0), 'client', { guard })).toBe('0-0')
  })

  it('is fenced rather than found unverified, when its epoch is old', () => {
    const log = fixture({ verifyTransactions: true }).open()
    append(log, produced(7, 5, 0))
    expect(append(log, inTransaction(4, 0))).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('begins with the lowest sequence seen while it was verified', () => {
    const log = fixture({ verifyTransactions: true }).open()
    const guard = log.startVerification(new RecordBatch(inTransaction(0, 3)), true)!
    log.startVerification(new RecordBatch(inTransaction(0, 2)), true)
    expect(append(log, inTransaction(0, 3), 'client', { guard })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    // With KIP-890 a producer that nothing is known of must begin at 0.
    expect(append(log, inTransaction(0, 2), 'client', { guard })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    log.startVerification(new RecordBatch(inTransaction(0, 0)), true)
    expect(append(log, inTransaction(0, 0), 'client', { guard })).toBe('0-0')
  })
})

describe('a follower', () => {
  const fetched = (baseOffset: number, partitionLeaderEpoch = 1) => values(['x', 'y'], { baseOffset, partitionLeaderEpoch })
  const both = (...batches: Uint8Array[]) => new Uint8Array(Buffer.concat(batches))

  it('takes nothing that is damaged, and nothing of the same answer', () => {
    const log = fixture().open()
    const bad = fetched(2)
    bad[70]! ^= 1
    expect(log.appendAsFollower(both(fetched(0), bad), 1)).toMatchObject({ error: Errors.CORRUPT_MESSAGE })
    expect(log.appendAsFollower(both(fetched(0), fetched(2).subarray(0, 50)), 1)).toMatchObject({ error: Errors.CORRUPT_MESSAGE })
    expect(log.logEndOffset).toBe(0)
    expect(log.failure).toBeUndefined()
  })

  it('goes on where it is, with gaps where the leader has them', () => {
    const log = fixture().open()
    expect(log.appendAsFollower(both(fetched(3), fetched(9)), 1)).toBeUndefined()
    expect(log.logEndOffset).toBe(11)
    expect(log.appendAsFollower(fetched(10), 1)).toMatchObject({ error: Errors.OFFSET_OUT_OF_RANGE })
    expect(readAll(log).map((r) => r.offset)).toEqual([3, 4, 9, 10])
    const read = log.read(5, 1000, 11, true)
    expect('error' in read ? read : decodeAll(read.chunks[0]!)[0]).toEqual({ offset: 9, value: 'x' })
  })

  it('stops at the first batch of an epoch it does not follow', () => {
    const log = fixture().open()
    expect(log.appendAsFollower(both(fetched(0, 1), fetched(2, 2), fetched(4, 1)), 1)).toBeUndefined()
    expect(log.logEndOffset).toBe(2)
    expect(log.appendAsFollower(fetched(2, 2), 1)).toBeUndefined()
    expect(log.logEndOffset).toBe(2)
  })

  it('takes whatever producers did', () => {
    const log = fixture().open()
    log.appendAsFollower(produced(7, 5, 90, 1, { baseOffset: 0, partitionLeaderEpoch: 1 }), 1)
    expect(log.appendAsFollower(produced(7, 4, 3, 1, { baseOffset: 1, partitionLeaderEpoch: 1 }), 1)).toBeUndefined()
    expect(log.logEndOffset).toBe(2)
  })
})
