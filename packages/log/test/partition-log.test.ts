import { Errors, RecordBatch, buildEndTransactionMarker } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { concat, fixture, produced, readAll, values } from './support.ts'

describe('a log', () => {
  it('begins empty, and costs no file', () => {
    const { disk, open } = fixture()
    const log = open()
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark, log.lastStableOffset]).toEqual([0, 0, 0, 0])
    expect(disk.list('data/t-0')).toEqual([])
    expect(log.read(0, 100, 0, true)).toEqual({ chunks: [], bytes: 0, nextOffset: 0, lateMs: 0 })
    expect(log.latestEpoch).toBeUndefined()
  })

  it('gives offsets to what the leader appends, and reads it back', () => {
    const log = fixture().open()
    const batch = values(['a', 'b', 'c'])
    expect(log.appendAsLeader(batch, 4, 'client')).toEqual({
      error: 0,
      firstOffset: 0,
      lastOffset: 2,
      logAppendTime: -1,
      duplicate: false,
      logStartOffset: 0,
    })
    expect(log.appendAsLeader(values(['d']), 4, 'client')).toMatchObject({ firstOffset: 3, lastOffset: 3 })
    expect(log.logEndOffset).toBe(4)
    expect(log.latestEpoch).toBe(4)
    expect(new RecordBatch(batch).partitionLeaderEpoch).toBe(4)
    expect(readAll(log).map((r) => r.value)).toEqual(['a', 'b', 'c', 'd'])
    expect(log.read(0, 100, log.highWatermark, true)).toMatchObject({ bytes: 0 })
    expect(log.updateHighWatermark(4)).toBe(true)
    expect(log.updateHighWatermark(2)).toBe(false)
    expect(log.highWatermark).toBe(4)
  })

  it('opens again as it was, with and without a clean stop', () => {
    for (const cleanShutdown of [true, false]) {
      const { open } = fixture({ segmentBytes: 300 })
      let log = open()
      for (let i = 0; i < 20; i++) log.appendAsLeader(values([`v${i}`]), i >> 3, 'client')
      const before = readAll(log)
      expect(log.segmentCount).toBeGreaterThan(4)
      const recoveryPoint = log.recoveryPoint
      if (cleanShutdown) log.close()
      log = open({ cleanShutdown, recoveryPoint: cleanShutdown ? 20 : recoveryPoint })
      expect(readAll(log)).toEqual(before)
      expect(log.logEndOffset).toBe(20)
      expect(log.leaderEpochs).toEqual([
        { epoch: 0, startOffset: 0 },
        { epoch: 1, startOffset: 8 },
        { epoch: 2, startOffset: 16 },
      ])
      expect(log.recoveredBytes).toBe(0)
      log.appendAsLeader(values(['more']), 3, 'client')
      expect(readAll(log).at(-1)).toEqual({ offset: 20, value: 'more' })
    }
  })

  it('copies what a leader has, up to an epoch', () => {
    const leader = fixture().open()
    for (const epoch of [1, 1, 2, 3]) leader.appendAsLeader(values(['x', 'y']), epoch, 'client')
    const read = leader.read(0, 10_000, 8, true)
    if ('error' in read) throw new Error(read.message)
    const follower = fixture().open()
    expect(follower.appendAsFollower(concat(read.chunks), 2)).toBeUndefined()
    expect(follower.logEndOffset).toBe(6)
    expect(follower.latestEpoch).toBe(2)
    expect(readAll(follower)).toEqual(readAll(leader).slice(0, 6))
  })

  it('truncates, and forgets the epochs and producers of what is gone', () => {
    const log = fixture({ segmentBytes: 250 }).open()
    for (let i = 0; i < 10; i++) log.appendAsLeader(produced(7, 0, i), i, 'client')
    log.updateHighWatermark(9)
    log.truncateTo(4)
    expect([log.logEndOffset, log.highWatermark, log.latestEpoch]).toEqual([4, 4, 3])
    expect(log.activeProducers()).toMatchObject([{ producerId: 7, lastSequence: 3 }])
    expect(log.appendAsLeader(produced(7, 0, 4), 11, 'client')).toMatchObject({ firstOffset: 4 })
    expect(readAll(log).map((r) => r.value)).toEqual(['7/0/0', '7/0/1', '7/0/2', '7/0/3', '7/0/4'])
  })

  it('forgets an epoch that begins at its end when it is cut there', () => {
    const { open } = fixture()
    const log = open()
    log.appendAsLeader(values(['a', 'b']), 1, 'client')
    log.assignEpochStart(3, 2)
    log.truncateTo(2)
    expect(log.leaderEpochs).toEqual([{ epoch: 1, startOffset: 0 }])
    expect(log.logEndOffset).toBe(2)
  })

  it('keeps the last stable offset below an open transaction', () => {
    const log = fixture().open()
    log.appendAsLeader(values(['before']), 0, 'client')
    log.appendAsLeader(produced(7, 0, 0, 2, { transactional: true }), 0, 'client')
    log.appendAsLeader(values(['between']), 0, 'client')
    log.updateHighWatermark(4)
    expect(log.lastStableOffset).toBe(1)
    const marker = { producerId: 7, producerEpoch: 0, coordinatorEpoch: 1, result: 'abort' } as const
    expect(log.appendAsLeader(buildEndTransactionMarker(marker, 5), 0, 'coordinator')).toMatchObject({ error: 0, firstOffset: 4 })
    expect(log.lastStableOffset).toBe(1)
    log.updateHighWatermark(5)
    expect(log.lastStableOffset).toBe(5)
    expect(log.abortedTransactions(0, 5)).toEqual([{ producerId: 7, firstOffset: 1 }])
    expect(log.abortedTransactions(0, 1)).toEqual([])
  })

  it('answers a retry with the offsets of the original', () => {
    const log = fixture().open()
    log.appendAsLeader(produced(7, 0, 0, 3), 0, 'client')
    log.appendAsLeader(produced(7, 0, 3, 2), 0, 'client')
    expect(log.appendAsLeader(produced(7, 0, 0, 3), 0, 'client')).toMatchObject({
      error: 0,
      firstOffset: 0,
      lastOffset: 2,
      duplicate: true,
    })
    expect(log.appendAsLeader(produced(7, 0, 1, 2), 0, 'client')).toMatchObject({ error: Errors.OUT_OF_ORDER_SEQUENCE_NUMBER })
    expect(log.logEndOffset).toBe(5)
  })

  it('answers out of range for offsets it does not have', () => {
    const log = fixture().open()
    log.appendAsLeader(values(['a', 'b']), 0, 'client')
    expect(log.read(3, 100, 2, true)).toMatchObject({ error: Errors.OFFSET_OUT_OF_RANGE })
    log.updateHighWatermark(2)
    log.advanceLogStartOffset(1)
    expect(log.read(0, 100, 2, true)).toMatchObject({ error: Errors.OFFSET_OUT_OF_RANGE })
    expect(log.read(2, 100, 2, true)).toMatchObject({ bytes: 0 })
  })

  it('goes offline for good when the disk fails', () => {
    const { disk, open } = fixture()
    const failures: string[] = []
    const log = open({ onFailure: (error) => failures.push(error.code) })
    log.appendAsLeader(values(['a']), 0, 'client')
    disk.fault = ({ operation }) => (operation === 'write' ? { code: 'EIO', written: 10 } : undefined)
    expect(log.appendAsLeader(values(['b']), 0, 'client')).toMatchObject({ error: Errors.KAFKA_STORAGE_ERROR })
    disk.fault = undefined
    expect(log.appendAsLeader(values(['c']), 0, 'client')).toMatchObject({ error: Errors.KAFKA_STORAGE_ERROR })
    expect(failures).toEqual(['EIO'])
    expect(log.logEndOffset).toBe(1)
  })
})
