// Clock faults: what each does to the two clocks and to timers, and how they are healed.
import { beforeEach, describe, expect, it } from 'vitest'
import { TestClock } from '../../coordinator/test/support.ts'
import { ArmedFaults, FaultyClock } from '../src/index.ts'

let base: TestClock
let faults: ArmedFaults
let clock: FaultyClock
let start: { wall: number; mono: number }

beforeEach(() => {
  base = new TestClock()
  faults = new ArmedFaults({ emit: () => {} })
  clock = new FaultyClock(base, faults)
  faults.onChange = () => clock.adapt()
  faults.onNotice = () => clock.adapt()
  start = { wall: clock.wall(), mono: clock.mono() }
})

function arm(kind: string, parameters: Record<string, number> = {}): void {
  faults.arm({ id: 'f', family: 'clock', kind, where: {}, trigger: {}, count: null, observe: false, parameters })
}

/** Both clocks, since the start. */
const now = () => [clock.wall() - start.wall, clock.mono() - start.mono]

describe('a clock', () => {
  it('without faults is the true one', () => {
    let ran = 0
    clock.after(100, () => ran++)
    base.advance(99)
    expect([...now(), ran]).toEqual([99, 99, 0])
    base.advance(1)
    expect(ran).toBe(1)
  })

  it('that steps moves the wall alone; timers go on', () => {
    let ran = 0
    clock.after(100, () => ran++)
    arm('step', { ms: -5000 })
    expect(now()).toEqual([-5000, 0])
    base.advance(100)
    expect([...now(), ran]).toEqual([-4900, 100, 1])
    faults.disarmAll()
    expect(now()).toEqual([100, 100])
  })

  it('that drifts moves both, and the timers', () => {
    let ran = 0
    base.advance(10)
    arm('drift', { rate: 2 })
    clock.after(100, () => ran++)
    base.advance(49)
    expect(ran).toBe(0)
    base.advance(1)
    expect([...now(), ran]).toEqual([110, 110, 1])
    faults.disarmAll()
    // The wall is true again; what went by on the other clock has gone by.
    expect(now()).toEqual([60, 110])
    base.advance(10)
    expect(now()).toEqual([70, 120])
  })

  it('that is frozen stands still, and no timer ends until it is healed', () => {
    let ran = 0
    clock.after(50, () => ran++)
    base.advance(20)
    arm('freeze')
    base.advance(1000)
    expect([...now(), ran]).toEqual([20, 20, 0])
    clock.after(10, () => ran++)
    faults.disarmAll()
    expect(now()).toEqual([1020, 20])
    base.advance(10)
    expect(ran).toBe(1)
    base.advance(20)
    expect(ran).toBe(2)
  })

  it('forgets a timer that is cancelled, also while it is frozen', () => {
    let ran = 0
    const timer = clock.after(50, () => ran++)
    arm('freeze')
    timer.cancel()
    faults.disarmAll()
    base.advance(1000)
    expect(ran).toBe(0)
  })
})
