// When elections happen that nobody asked for.
import type { Clock, Timer } from '@faultline/base'
import { describe, expect, it } from 'vitest'
import { PeriodicElections } from '../src/periodic-elections.ts'

/** Timers in the order in which they are due. */
class Timers implements Pick<Clock, 'after'> {
  readonly #waiting = new Set<{ at: number; run: () => void }>()
  #now = 0

  after(delayMs: number, run: () => void): Timer {
    const timer = { at: this.#now + delayMs, run }
    this.#waiting.add(timer)
    return { cancel: () => this.#waiting.delete(timer) }
  }

  passTo(time: number): void {
    for (;;) {
      const [next] = [...this.#waiting].filter((t) => t.at <= time).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#waiting.delete(next)
      this.#now = next.at
      next.run()
    }
    this.#now = time
  }

  get now(): number {
    return this.#now
  }
}

function story(settings: Record<string, string>, changed: () => number = () => 0) {
  const timers = new Timers()
  const told: string[] = []
  const elect = (kind: string) => (limit: number) => {
    told.push(`${kind} ${timers.now / 1000}`)
    return Math.min(changed(), limit)
  }
  const clock = timers as unknown as Clock
  const elections = new PeriodicElections(clock, new Map(Object.entries(settings)), elect('preferred'), elect('unclean'))
  return { timers, told, elections }
}

describe('periodic elections', () => {
  it('are every five minutes, as in Kafka, while the controller is active', () => {
    const { timers, told, elections } = story({})
    timers.passTo(1_000_000)
    expect(told).toEqual([])
    elections.start()
    timers.passTo(1_650_000)
    expect(told).toEqual(['preferred 1300', 'unclean 1300', 'preferred 1600', 'unclean 1600'])
    elections.stop()
    timers.passTo(9_000_000)
    expect(told).toHaveLength(4)
  })

  it('are as often as their configurations say, and no preferred ones where they are not wanted', () => {
    const often = story({ 'leader.imbalance.check.interval.seconds': '20', 'unclean.leader.election.interval.ms': '30000' })
    often.elections.start()
    often.timers.passTo(45_000)
    expect(often.told).toEqual(['preferred 20', 'unclean 30', 'preferred 40'])
    const never = story({ 'auto.leader.rebalance.enable': 'false' })
    never.elections.start()
    never.timers.passTo(700_000)
    expect(never.told).toEqual(['unclean 300', 'unclean 600'])
  })

  it('go on at once where a pass left some', () => {
    let left = 2500
    const { timers, told, elections } = story({ 'auto.leader.rebalance.enable': 'false' }, () => left)
    elections.start()
    timers.passTo(300_000)
    left = 1500
    timers.passTo(300_010)
    left = 500
    timers.passTo(310_000)
    expect(told).toEqual(['unclean 300', 'unclean 300.01', 'unclean 300.02'])
  })
})
