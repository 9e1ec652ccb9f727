import { MalformedError } from '@faultline/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { Prng } from '@faultline/base'
import { CoordinatorRuntime } from '../src/runtime/runtime.ts'
import type { CoordinatorRecord, ShardContext, ShardState } from '../src/runtime/ports.ts'
import { Deadline } from '../src/runtime/deadline.ts'
import { bytes, Call, settle, TestClock, TestLog, text } from './support.ts'

/** Counts what it replays. */
class Tally implements ShardState {
  readonly context: ShardContext
  readonly seen: string[] = []
  begun = 0

  constructor(context: ShardContext) {
    this.context = context
  }

  replay({ key }: CoordinatorRecord): void {
    if (text(key) === 'garbage') throw new MalformedError('garbage')
    this.seen.push(text(key))
  }

  endTransaction(producerId: number, committed: boolean): void {
    this.seen.push(`${producerId} ${committed ? 'commits' : 'aborts'}`)
  }

  begin(): void {
    this.begun++
  }
}

const rec = (key: string): CoordinatorRecord => ({ key: bytes(key), value: bytes('v') })

describe('the runtime', () => {
  let clock: TestClock
  let runtime: CoordinatorRuntime<Tally>
  let events: [string, unknown][]
  let last: Tally

  beforeEach(() => {
    clock = new TestClock()
    events = []
    runtime = new CoordinatorRuntime({
      clock,
      random: new Prng(1),
      events: { emit: (name, fields) => events.push([name, fields]) },
      commitTimeoutMs: 5000,
      create: (context) => (last = new Tally(context)),
    })
  })

  function elect(log: TestLog, epoch = 1): TestLog {
    log.onAdvance = () => runtime.advanced(0)
    runtime.elected(0, epoch, log)
    return log
  }
  const look = () =>
    new Call(
      runtime.run<string | number>(
        0,
        (s, answer) => answer(s.seen.join()),
        (error) => error,
      ),
    )
  const write = (...keys: string[]) =>
    new Call(
      runtime.run<string | number>(
        0,
        (s, answer) => answer(s.context.append(keys.map(rec)) || s.seen.join()),
        (error) => error,
      ),
    )
  async function value<T>(call: Call<T>): Promise<T | undefined> {
    await settle()
    return call.value
  }

  it('is not the coordinator of a partition that is not led here', async () => {
    expect(await value(look())).toBe(16)
    elect(new TestLog())
    clock.advance(0)
    runtime.resigned(0)
    expect(await value(look())).toBe(16)
  })

  it('replays the log before it answers', async () => {
    elect(new TestLog([rec('a'), rec('b'), rec('c')]))
    expect(await value(look())).toBe(14)
    clock.advance(0)
    expect(await value(look())).toBe('a,b,c')
    expect(last.begun).toBe(1)
  })

  it('loads in slices of 5 ms', async () => {
    clock.lookMs = 1
    elect(new TestLog(Array.from({ length: 1000 }, (_, i) => rec(`k${i}`))))
    let slices = 0
    while ((await value(look())) === 14) {
      const before = last.seen.length
      clock.advance(0)
      slices++
      expect(last.seen.length - before).toBeLessThanOrEqual(5 * 32)
    }
    expect(slices).toBeGreaterThan(5)
    expect(last.seen.length).toBe(1000)
  })

  it('loads up to the end that the log had when it began, over slices of the log', async () => {
    const log = new TestLog(Array.from({ length: 250 }, (_, i) => rec(`k${i}`)))
    elect(log)
    clock.advance(0)
    expect(last.seen.length).toBe(250)
  })

  it('leaves out what is no record, and says so', async () => {
    elect(new TestLog([rec('a'), rec('garbage'), rec('b')]))
    clock.advance(0)
    expect(await value(look())).toBe('a,b')
    expect(events).toContainEqual(['coordinator.loaded', expect.objectContaining({ records: 3, skipped: 1 })])
  })

  it('is no coordinator of a log that cannot be read', async () => {
    const log = new TestLog([rec('a')])
    log.broken = 56
    elect(log)
    clock.advance(0)
    expect(await value(look())).toBe(16)
    expect(last.begun).toBe(0)
  })

  it('answers a write when it is committed', async () => {
    const log = elect(new TestLog())
    clock.advance(0)
    log.autoCommit = false
    const call = write('a')
    expect(await value(call)).toBeUndefined()
    log.commit()
    expect(await value(call)).toBe('a')
  })

  it('answers a read of something that is not committed when it is', async () => {
    const log = elect(new TestLog())
    clock.advance(0)
    log.autoCommit = false
    write('a')
    const seen = look()
    expect(await value(seen)).toBeUndefined()
    log.commit()
    expect(await value(seen)).toBe('a')
  })

  it('answers reads after an election only when all that was loaded is committed', async () => {
    const log = new TestLog([rec('a'), rec('b')])
    log.highWatermark = 1
    elect(log)
    clock.advance(0)
    const seen = look()
    expect(await value(seen)).toBeUndefined()
    log.commit(2)
    expect(await value(seen)).toBe('a,b')
  })

  it('answers in the order of commits', async () => {
    const log = elect(new TestLog())
    clock.advance(0)
    log.autoCommit = false
    const first = write('a')
    const second = write('b')
    log.commit(1)
    expect([await value(first), await value(second)]).toEqual(['a', undefined])
    log.commit(2)
    expect(await value(second)).toBe('a,b')
  })

  it('gives up on a write that does not commit in time; what is in the log stays', async () => {
    const log = elect(new TestLog())
    clock.advance(0)
    log.autoCommit = false
    const first = write('a')
    clock.advance(3000)
    const second = write('b')
    clock.advance(1999)
    expect(await value(first)).toBeUndefined()
    clock.advance(1)
    expect([await value(first), await value(second)]).toEqual([15, undefined])
    clock.advance(3000)
    expect(await value(second)).toBe(15)
    log.commit()
    expect(await value(look())).toBe('a,b')
    expect(clock.timers).toBe(0)
  })

  it('has not changed when the log refuses', async () => {
    const log = elect(new TestLog([rec('a')]))
    clock.advance(0)
    log.refuse = 19
    expect(await value(write('b'))).toBe(19)
    expect(await value(look())).toBe('a')
  })

  it('sends everybody who waits elsewhere when leadership goes', async () => {
    const log = elect(new TestLog())
    clock.advance(0)
    log.autoCommit = false
    const uncommitted = write('a')
    const parked = new Call(
      runtime.run<number>(
        0,
        () => {},
        (error) => error,
      ),
    )
    runtime.resigned(0)
    expect([await value(uncommitted), await value(parked)]).toEqual([16, 16])
  })

  it('drops its timers and what it was loading with the epoch', async () => {
    elect(new TestLog([rec('a')]))
    runtime.resigned(0)
    expect(clock.timers).toBe(0)
    elect(new TestLog(), 2)
    clock.advance(0)
    let rang = 0
    last.context.deadline(() => rang++).set(100)
    runtime.resigned(0)
    clock.advance(1000)
    expect([rang, clock.timers]).toEqual([0, 0])
  })

  it('begins anew from the log in a new epoch', async () => {
    const log = elect(new TestLog())
    clock.advance(0)
    log.autoCommit = false
    const lost = write('a', 'b')
    elect(new TestLog([rec('a')]), 2)
    expect(await value(lost)).toBe(16)
    clock.advance(0)
    expect(await value(look())).toBe('a')
  })

  it('writes what need not appear at once in batches that fit', async () => {
    const log = elect(new TestLog())
    clock.advance(0)
    log.maxBatchBytes = 300
    const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`)
    const call = new Call(
      runtime.run<number>(
        0,
        (s, answer) => answer(s.context.appendInParts(keys.map(rec))),
        (error) => error,
      ),
    )
    expect(await value(call)).toBe(0)
    expect(last.seen).toEqual(keys)
  })
})

describe('a deadline', () => {
  it('rings once, at the last time set', () => {
    const clock = new TestClock()
    const pending = new Set<Deadline>()
    let rang: number[] = []
    const deadline = new Deadline(clock, pending, () => rang.push(clock.mono()))
    deadline.set(100)
    clock.advance(50)
    deadline.set(100)
    clock.advance(99)
    expect(rang).toEqual([])
    clock.advance(1)
    expect(rang).toEqual([150])
    rang = []
    deadline.set(100)
    deadline.set(10)
    clock.advance(1000)
    expect(rang).toEqual([160])
    deadline.set(10)
    expect(pending.size).toBe(1)
    deadline.clear()
    clock.advance(1000)
    expect([rang.length, pending.size, clock.timers]).toEqual([1, 0, 0])
  })
})
