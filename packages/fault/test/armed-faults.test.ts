// Which occasions a fault hits: nth, every, chance, count, sequence, condition; and what is told of it.
import type { EventFields } from '@faultline/base'
import { beforeEach, describe, expect, it } from 'vitest'
import { ArmedFaults, type NodeFault, type Trigger, watchedBy } from '../src/index.ts'

let told: [string, EventFields][]
let faults: ArmedFaults

beforeEach(() => {
  told = []
  faults = new ArmedFaults({ emit: (name, fields) => told.push([name, fields]) })
})

function arm(id: string, trigger: Trigger = {}, options: Partial<NodeFault> = {}): void {
  faults.arm({
    id,
    family: 'protocol',
    kind: 'delay',
    where: {},
    trigger,
    count: null,
    observe: false,
    parameters: {},
    ...options,
  })
}

/** For so many occasions, whether each was hit. */
function occasions(id: string, count: number): string {
  const armed = faults.of('protocol').find((a) => a.fault.id === id)!
  return Array.from({ length: count }, () => (faults.hit(armed, {}) ? 'x' : '-')).join('')
}

describe('a fault hits', () => {
  it('every occasion, unless told otherwise', () => {
    arm('f')
    expect(occasions('f', 4)).toBe('xxxx')
  })

  it('so often, and is spent', () => {
    arm('f', {}, { count: 2 })
    expect(occasions('f', 4)).toBe('xx--')
    expect(faults.list()).toEqual([{ id: 'f', hits: 2, spent: true }])
  })

  it('the nth occasion, or every nth', () => {
    arm('f', { nth: 3 })
    arm('g', { every: 2 })
    expect(occasions('f', 6)).toBe('--x---')
    expect(occasions('g', 6)).toBe('-x-x-x')
  })

  it('by chance, the same chance for the same seed', () => {
    arm('f', { probability: 0.5, seed: 7 })
    arm('g', { probability: 0.5, seed: 7 })
    const drawn = occasions('f', 40)
    expect(occasions('g', 40)).toBe(drawn)
    expect(drawn).toMatch(/x.*-|-.*x/)
  })

  it('once for each time that its condition becomes true', () => {
    arm('f', { when: 'txn(t1).state = PrepareCommit' })
    const events = watchedBy({ emit: () => {} }, faults)
    const state = (transactionalId: string, of: string) =>
      events.emit('transaction.state', { transactionalId, state: of, producerId: 1, producerEpoch: 0 })
    expect(occasions('f', 1)).toBe('-')
    state('t2', 'PrepareCommit')
    expect(occasions('f', 1)).toBe('-')
    state('t1', 'PrepareCommit')
    state('t1', 'CompleteCommit')
    expect(occasions('f', 2)).toBe('x-')
    state('t1', 'PrepareCommit')
    state('t1', 'CompleteCommit')
    state('t1', 'PrepareCommit')
    expect(occasions('f', 3)).toBe('xx-')
  })

  it('at once, when its condition holds already', () => {
    faults.vantage = () => ({ state: 'Stable', members: 3 })
    arm('f', { when: 'group(g).state = Stable' })
    expect(occasions('f', 2)).toBe('x-')
  })

  it('after another has hit, here or elsewhere', () => {
    arm('f', {}, { count: 3 })
    arm('g', { after: { fault: 'f', hits: 2 } })
    expect(occasions('g', 1)).toBe('-')
    occasions('f', 2)
    expect(occasions('g', 1)).toBe('x')
    arm('h', { after: { fault: 'other', hits: 1 } })
    expect(occasions('h', 1)).toBe('-')
    faults.hitElsewhere('other', 1)
    expect(occasions('h', 1)).toBe('x')
  })

  it('nothing when it only observes, but is counted and told', () => {
    arm('f', {}, { observe: true })
    expect(occasions('f', 2)).toBe('--')
    expect(faults.list()[0]!.hits).toBe(2)
    expect(told.map(([name, { fault, hits, observed }]) => [name, fault, hits, observed])).toEqual([
      ['fault.hit', 'f', 1, true],
      ['fault.hit', 'f', 2, true],
    ])
  })

  it('at the moment of a watched condition, which is all that it does', () => {
    faults.arm({
      id: 'w',
      family: 'watch',
      kind: 'notify',
      where: {},
      trigger: { when: 'isr(orders-0).size = 1' },
      count: 1,
      observe: false,
      parameters: {},
    })
    const change = (isr: number[]) =>
      faults.onEvent('partition.change', { topic: 'orders', partition: 0, leader: 1, leaderEpoch: 1, isr })
    change([1, 2])
    expect(told).toEqual([])
    change([1])
    change([1, 2])
    change([1])
    expect(told.filter(([name]) => name === 'fault.hit')).toHaveLength(1)
  })
})

describe('disarming', () => {
  it('undoes what is under way, and leaves nothing', () => {
    arm('f')
    let undone = 0
    faults.of('protocol')[0]!.onDisarm(() => undone++)
    expect(faults.disarm('f')).toBe(true)
    expect([undone, faults.of('protocol'), faults.list()]).toEqual([1, [], []])
    expect(faults.disarm('f')).toBe(false)
  })
})
