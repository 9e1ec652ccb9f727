// What the tests of this package share: a log on a virtual disk, with a clock that stands still until told.
import type { Clock, Timer } from '@faultline/base'
import { buildBatch, decodeRecords, isBatchProblem, RecordBatch, type BatchOptions } from '@faultline/protocol'
import { VirtualDisk } from '../../sim/src/disk/virtual-disk.ts'
import { DEFAULT_LOG_CONFIG, PartitionLog, type LogConfig, type PartitionLogOptions } from '../src/index.ts'

export const TOPIC_ID = 'dGVzdHRlc3R0ZXN0dGVzdA'

export class TestClock implements Clock {
  now = 1_700_000_000_000
  wall = () => this.now
  mono = () => this.now
  after = (_delayMs: number, _run: () => void): Timer => ({ cancel: () => {} })
}

export interface Fixture {
  readonly disk: VirtualDisk
  readonly clock: TestClock
  readonly config: LogConfig
  /** Opens it; after the first time, as after a clean stop unless told otherwise. */
  open(options?: Partial<PartitionLogOptions>): PartitionLog
}

export function fixture(config: Partial<LogConfig> = {}, disk = new VirtualDisk()): Fixture {
  const clock = new TestClock()
  const full = { ...DEFAULT_LOG_CONFIG, ...config }
  const open = (options: Partial<PartitionLogOptions> = {}) =>
    PartitionLog.open({
      disk,
      clock,
      directory: 'data/t-0',
      config: full,
      topicId: TOPIC_ID,
      cleanShutdown: true,
      recoveryPoint: 0,
      ...options,
    })
  return { disk, clock, config: full, open }
}

const text = new TextEncoder()
export const utf8 = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))

/** A batch of values, without keys. */
export function values(list: readonly string[], options: BatchOptions & { timestamp?: number } = {}): Uint8Array {
  const timestamp = options.timestamp ?? 1_700_000_000_000
  return buildBatch(
    list.map((value) => ({ key: null, value: text.encode(value), timestamp })),
    options,
  )
}

/** A batch of a producer, whose values are `count` numbers from `sequence` on. */
export function produced(producerId: number, epoch: number, sequence: number, count = 1, options: BatchOptions = {}): Uint8Array {
  const list = Array.from({ length: count }, (_, i) => `${producerId}/${epoch}/${sequence + i}`)
  return values(list, { ...options, producerId, producerEpoch: epoch, baseSequence: sequence })
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}

export interface ReadRecord {
  readonly offset: number
  readonly value: string | null
}

export function decodeAll(bytes: Uint8Array): ReadRecord[] {
  const out: ReadRecord[] = []
  for (let at = 0; at < bytes.length;) {
    const batch = new RecordBatch(bytes, at)
    const records = decodeRecords(batch)
    if (isBatchProblem(records)) throw new Error(records.message)
    for (const record of records) out.push({ offset: record.offset, value: utf8(record.value) })
    at += batch.sizeInBytes
  }
  return out
}

/** All records from `from` on, read piece by piece as a consumer would. */
export function readAll(log: PartitionLog, from = log.logStartOffset, limit = log.logEndOffset, maxBytes = 1000): ReadRecord[] {
  const out: ReadRecord[] = []
  for (let next = from; ;) {
    const read = log.read(next, maxBytes, limit, true)
    if ('error' in read) throw new Error(read.message)
    if (read.bytes === 0) return out
    out.push(...decodeAll(concat(read.chunks)))
    next = read.nextOffset
  }
}
