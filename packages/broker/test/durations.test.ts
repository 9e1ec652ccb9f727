import { describe, expect, it } from 'vitest'
import { Durations } from '../src/metrics/durations.ts'

const MINUTE = 60_000

describe('durations', () => {
  it('give quantiles that are right to within a tenth', () => {
    const durations = new Durations()
    for (let ms = 1; ms <= 1000; ms++) durations.add(ms, 0)
    expect(durations.count).toBe(1000)
    expect(durations.sumMs).toBe(500_500)
    for (const [i, found] of durations.quantiles([0.5, 0.9, 0.99, 0.999], 0).entries()) {
      const exact = [500, 900, 990, 999][i]!
      expect(found / exact).toBeGreaterThanOrEqual(1)
      expect(found / exact).toBeLessThan(1.1)
    }
  })

  it('speak of the last two minutes at most, and count for ever', () => {
    const durations = new Durations()
    durations.add(1000, MINUTE)
    durations.add(10, 2 * MINUTE)
    expect(durations.quantiles([1], 2 * MINUTE)[0]).toBeGreaterThan(999)
    expect(durations.quantiles([1], 3 * MINUTE)[0]).toBeLessThan(11)
    expect(durations.quantiles([1], 5 * MINUTE)).toEqual([NaN])
    expect(durations.count).toBe(2)
  })

  it.each([0, -1, NaN, 1e12])('take %d, which a broken clock may give', (ms) => {
    const durations = new Durations()
    durations.add(ms, MINUTE)
    durations.add(ms, 0)
    expect(durations.count).toBe(2)
    expect(durations.quantiles([0.5], 0)[0]).toBeGreaterThan(0)
  })
})
