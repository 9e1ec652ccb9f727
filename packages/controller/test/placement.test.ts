// Where replicas go: spread over racks and brokers, never twice on one.
import { Prng } from '@faultline/base'
import { describe, expect, it } from 'vitest'
import type { BrokerState } from '../src/image/broker-state.ts'
import { placeReplicas } from '../src/plan/placement.ts'
import { broker } from './cluster.ts'

const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1)

function place(brokers: readonly BrokerState[], partitions: number, factor: number, seed = 1): number[][] {
  return placeReplicas(brokers, partitions, factor, new Prng(seed))!
}

const ids = (count: number) => Array.from({ length: count }, (_, i) => broker(i + 1))
const racked = (...racks: string[]) => racks.map((rack, i) => broker(i + 1, { rack }))

function counts(lists: readonly number[][], of: (list: number[]) => number[]): number[] {
  const found = new Map<number, number>()
  for (const list of lists) for (const id of of(list)) found.set(id, (found.get(id) ?? 0) + 1)
  return [...found.values()]
}

describe('placement', () => {
  it.each(SEEDS)('never puts two replicas on one broker (seed %i)', (seed) => {
    const random = new Prng(seed)
    const brokers = Array.from({ length: 1 + random.below(7) }, (_, i) =>
      broker(i + 1, { rack: random.below(2) === 0 ? null : `r${random.below(3)}`, fenced: i > 0 && random.below(4) === 0 }),
    )
    const factor = 1 + random.below(brokers.length)
    for (const list of place(brokers, 20, factor, seed)) {
      expect(list.length).toBe(factor)
      expect(new Set(list).size).toBe(factor)
      expect(brokers.find((b) => b.id === list[0])!.fenced).toBe(false)
    }
  })

  it.each(SEEDS)('gives every broker as many leaders and replicas as the next (seed %i)', (seed) => {
    const lists = place(ids(4), 40, 3, seed)
    expect(new Set(counts(lists, ([leader]) => [leader!]))).toEqual(new Set([10]))
    expect(new Set(counts(lists, (list) => list))).toEqual(new Set([30]))
  })

  it.each(SEEDS)('puts the replicas of a partition on different racks while there are racks (seed %i)', (seed) => {
    const brokers = racked('a', 'a', 'b', 'b', 'c', 'c')
    const rackOf = (id: number) => brokers.find((b) => b.id === id)!.rack
    const lists = place(brokers, 12, 3, seed)
    for (const list of lists) expect(new Set(list.map(rackOf)).size).toBe(3)
    expect(new Set(counts(lists, (list) => list))).toEqual(new Set([6]))
    for (const list of place(brokers, 12, 5, seed)) expect(new Set(list.map(rackOf)).size).toBe(3)
  })

  it('prefers brokers that are there, and begins with one', () => {
    const brokers = [broker(1, { fenced: true }), broker(2), broker(3)]
    for (const seed of SEEDS) {
      for (const list of place(brokers, 5, 2, seed)) expect([...list].sort()).toEqual([2, 3])
      for (const list of place(brokers, 5, 3, seed)) expect([...list].sort()).toEqual([1, 2, 3])
      for (const list of place(brokers, 5, 3, seed)) expect(list[0]).not.toBe(1)
    }
  })

  it('is impossible with too few brokers, with none that is there, and on those that stop', () => {
    const impossible = (brokers: BrokerState[], factor: number) => placeReplicas(brokers, 1, factor, new Prng(1)) === undefined
    expect(impossible(ids(2), 3)).toBe(true)
    expect(impossible([], 1)).toBe(true)
    expect(impossible([broker(1, { fenced: true })], 1)).toBe(true)
    expect(impossible([broker(1), broker(2, { inControlledShutdown: true })], 2)).toBe(true)
  })

  it('is the same from the same seed', () => {
    expect(place(ids(5), 9, 3, 7)).toEqual(place(ids(5), 9, 3, 7))
    expect(place(ids(5), 9, 3, 7)).not.toEqual(place(ids(5), 9, 3, 8))
  })
})
