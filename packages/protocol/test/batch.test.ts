import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  BATCH_HEADER_SIZE,
  RecordBatch,
  RecordCursor,
  addSequence,
  buildBatch,
  buildEndTransactionMarker,
  checkBatch,
  crc32c,
  decodeRecords,
  isBatchProblem,
  readEndTransactionMarker,
  subtractSequence,
  type DecodedRecord,
  type RecordToWrite,
} from '../src/batch/index.ts'
import { readInt64, varintSize, writeInt64, writeVarint } from '../src/batch/integers.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const noCodec = () => {
  throw new Error('no codec')
}
const gzip = (_codec: number, plain: Uint8Array) => new Uint8Array(gzipSync(plain))
const gunzip = (_codec: number, packed: Uint8Array, limit: number) =>
  new Uint8Array(gunzipSync(packed, { maxOutputLength: limit }))

function decode(batch: Uint8Array): DecodedRecord[] {
  const records = decodeRecords(new RecordBatch(batch), gunzip)
  if (isBatchProblem(records)) throw new Error(records.message)
  return [...records]
}

describe('crc32c', () => {
  it('gives the check value of the standard', () => {
    expect(crc32c(bytes('123456789'))).toBe(0xe3069283)
  })

  it('agrees with itself on both sides of the native threshold', () => {
    const all = Uint8Array.from({ length: 2000 }, (_, i) => i * 7)
    for (const size of [0, 1, 299, 300, 301, 2000]) {
      let table = -1
      for (let i = 0; i < size; i++) {
        table ^= all[i]!
        for (let bit = 0; bit < 8; bit++) table = table & 1 ? (table >>> 1) ^ 0x82f63b78 : table >>> 1
      }
      expect(crc32c(all, 0, size)).toBe(~table >>> 0)
    }
  })
})

describe('integers', () => {
  it('writes and reads int64 at the ends of the safe range', () => {
    const at = new Uint8Array(9)
    for (const value of [0, -1, 1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53) + 1]) {
      writeInt64(at, 1, value)
      expect(readInt64(at, 1)).toBe(value)
      expect(new DataView(at.buffer).getBigInt64(1)).toBe(BigInt(value))
    }
  })

  it('reads an int64 beyond the safe range as no safe integer', () => {
    const at = new Uint8Array(8)
    for (const value of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 53n)]) {
      new DataView(at.buffer).setBigInt64(0, value)
      expect(Number.isSafeInteger(readInt64(at, 0))).toBe(false)
    }
  })

  it('sizes varints as it writes them', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 51), max: 2 ** 51 })), (value) => {
        expect(writeVarint(new Uint8Array(10), 0, value)).toBe(varintSize(value))
      }),
    )
  })

  it('wraps sequences from 2147483647 to 0', () => {
    expect(addSequence(2147483647, 1)).toBe(0)
    expect(addSequence(2147483640, 10)).toBe(2)
    expect(subtractSequence(2, 10)).toBe(2147483640)
  })
})

const field = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null })
const record: fc.Arbitrary<RecordToWrite> = fc.record({
  key: field,
  value: field,
  timestamp: fc.integer({ min: 0, max: 2 ** 42 }),
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 20, unit: 'grapheme' }), value: field }), { maxLength: 3 }),
})

describe('batches', () => {
  it('lays out the header as Kafka does', () => {
    const batch = buildBatch([{ key: bytes('k'), value: bytes('v'), timestamp: 1_700_000_000_000 }], {
      baseOffset: 5,
      partitionLeaderEpoch: 3,
      producerId: 9,
      producerEpoch: 2,
      baseSequence: 7,
      transactional: true,
    })
    expect(Buffer.from(batch).toString('hex')).toBe(
      // baseOffset, length, leader epoch, magic
      '0000000000000005' +
        '0000003a' +
        '00000003' +
        '02' +
        Buffer.from(batch.subarray(17, 21)).toString('hex') +
        // attributes, last offset delta, timestamps
        '0010' +
        '00000000' +
        '0000018bcfe56800' +
        '0000018bcfe56800' +
        // producer, sequence, count
        '0000000000000009' +
        '0002' +
        '00000007' +
        '00000001' +
        // the record
        '10' +
        '00' +
        '00' +
        '00' +
        '02' +
        '6b' +
        '02' +
        '76' +
        '00',
    )
    expect(checkBatch(batch)).toBeUndefined()
  })

  it('gives back what it was built from, plain and compressed', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.constantFrom(0, 1), (records, codec) => {
        const batch = buildBatch(records, { baseOffset: 100, codec, compress: gzip })
        expect(checkBatch(batch)).toBeUndefined()
        const back = decode(batch)
        expect(back).toEqual(
          records.map((r, i) => ({ ...r, offset: 100 + i, headers: r.headers, key: r.key, value: r.value })).map(plainBytes),
        )
      }),
    )
  })

  it('sets offset and epoch without touching the checksum', () => {
    const batch = buildBatch([{ key: null, value: bytes('x'), timestamp: 1 }])
    const view = new RecordBatch(batch)
    view.setBaseOffset(2 ** 40)
    view.setPartitionLeaderEpoch(77)
    expect(checkBatch(batch)).toBeUndefined()
    expect([view.baseOffset, view.partitionLeaderEpoch, view.lastOffset]).toEqual([2 ** 40, 77, 2 ** 40])
  })

  it('marks log append time and mends the checksum', () => {
    const batch = buildBatch([{ key: null, value: bytes('x'), timestamp: 1 }])
    new RecordBatch(batch).setLogAppendTime(5000)
    expect(checkBatch(batch)).toBeUndefined()
    expect(new RecordBatch(batch).timestampType).toBe('LogAppendTime')
    expect(decode(batch)[0]!.timestamp).toBe(5000)
  })

  it('keeps transaction markers', () => {
    for (const result of ['commit', 'abort'] as const) {
      const marker = { producerId: 4000, producerEpoch: 3, coordinatorEpoch: 12, result }
      const batch = buildEndTransactionMarker(marker, 99)
      expect(checkBatch(batch)).toBeUndefined()
      expect(readEndTransactionMarker(new RecordBatch(batch))).toEqual(marker)
      expect(new RecordBatch(batch).isControl).toBe(true)
    }
  })

  it('ignores control records of a type it does not know', () => {
    const batch = buildBatch([{ key: Uint8Array.of(0, 0, 0, 9), value: new Uint8Array(6), timestamp: 0 }], { control: true })
    expect(readEndTransactionMarker(new RecordBatch(batch))).toBeUndefined()
  })
})

function plainBytes<T extends RecordToWrite>(r: T) {
  const plain = (field: Uint8Array | null) => (field === null ? null : new Uint8Array(field))
  return {
    ...r,
    key: plain(r.key),
    value: plain(r.value),
    headers: r.headers!.map((h) => ({ key: h.key, value: plain(h.value) })),
  }
}

describe('bad bytes', () => {
  const good = buildBatch([
    { key: bytes('k'), value: bytes('v'), timestamp: 1, headers: [{ key: 'h', value: bytes('w') }] },
    { key: null, value: null, timestamp: 2 },
  ])

  it('notices every flipped bit that the checksum covers, and the lengths', () => {
    for (let bit = 0; bit < good.length * 8; bit++) {
      const at = bit >> 3
      if (at < 8 || (at >= 12 && at < 16)) continue // baseOffset and leader epoch are not covered
      const flipped = good.slice()
      flipped[at]! ^= 1 << (bit & 7)
      expect(checkBatch(flipped), `bit ${bit}`).toBeDefined()
    }
  })

  it('notices every cut', () => {
    for (let size = 0; size < good.length; size++) expect(checkBatch(good.subarray(0, size))?.kind).toBe('truncated')
  })

  it('answers for numbers that contradict each other', () => {
    const spoil = (change: (view: DataView) => void) => {
      const batch = good.slice()
      change(new DataView(batch.buffer))
      new RecordBatch(batch).updateCrc()
      return checkBatch(batch)?.kind
    }
    expect(spoil((v) => v.setInt32(8, 10))).toBe('corrupt')
    expect(spoil((v) => v.setInt8(16, 1))).toBe('magic')
    expect(spoil((v) => v.setBigInt64(0, -1n))).toBe('invalid')
    expect(spoil((v) => v.setBigInt64(0, 2n ** 62n))).toBe('invalid')
    expect(spoil((v) => v.setInt32(23, -1))).toBe('invalid')
    expect(spoil((v) => v.setInt32(57, -1))).toBe('invalid')
    expect(spoil((v) => v.setInt32(57, 3))).toBe('invalid')
    expect(spoil((v) => v.setInt16(21, 7))).toBe('invalid')
    expect(spoil((v) => v.setBigInt64(27, 2n ** 60n))).toBe('invalid')
    expect(spoil((v) => v.setBigInt64(35, 2n ** 60n))).toBe('invalid')
    expect(spoil((v) => v.setBigInt64(43, 2n ** 60n))).toBe('invalid')
  })

  it('walks any rubbish without a throw, and in bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 50 }), (rubbish, count) => {
        const cursor = new RecordCursor(rubbish, 0, rubbish.length, count)
        let records = 0
        while (cursor.next()) {
          records++
          expect(cursor.end).toBeLessThanOrEqual(rubbish.length)
          expect(cursor.valueAt + Math.max(0, cursor.valueLength)).toBeLessThanOrEqual(rubbish.length)
        }
        if (cursor.problem === undefined) expect(records).toBe(count)
      }),
      { numRuns: 2000 },
    )
  })

  it('answers for a batch whose records are damaged under a good checksum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: BATCH_HEADER_SIZE, max: good.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, change) => {
          const batch = good.slice()
          batch[at]! ^= change
          new RecordBatch(batch).updateCrc()
          const records = decodeRecords(new RecordBatch(batch), noCodec)
          if (!isBatchProblem(records)) expect([...records]).toHaveLength(2)
        },
      ),
      // More headers than the record has bytes for.
      { examples: [[69, 6]] },
    )
  })

  it('answers for what does not decompress, and for a bomb', () => {
    const packed = buildBatch([{ key: null, value: new Uint8Array(100_000), timestamp: 0 }], { codec: 1, compress: gzip })
    expect(decodeRecords(new RecordBatch(packed), gunzip, 1000)).toMatchObject({ kind: 'corrupt' })
    const rubbish = buildBatch([{ key: null, value: new Uint8Array(10), timestamp: 0 }], { codec: 1, compress: (_, b) => b })
    expect(decodeRecords(new RecordBatch(rubbish), gunzip)).toMatchObject({ kind: 'corrupt' })
  })
})
