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
    expect(faults.list()).toEqual([{ id: 'f', hits: 2, matched: 4, spent: true }])
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

  it('when what its owner is asked for becomes true, but not for what it takes over from another node', () => {
    let highWatermark: number | undefined
    faults.vantage = () => (highWatermark === undefined ? undefined : { highWatermark })
    arm('f', { when: 'partition(a-0).highWatermark >= 100' })
    const moved = (to: number | undefined) => {
      highWatermark = to
      faults.onChanged('partition')
      return occasions('f', 2)
    }
    // It comes here as it is, and has not become so.
    expect(moved(150)).toBe('--')
    expect(moved(undefined)).toBe('--')
    expect(moved(99)).toBe('--')
    expect(moved(100)).toBe('x-')
    expect(moved(101)).toBe('--')
    faults.onChanged('coordinator')
    expect(occasions('f', 1)).toBe('-')
  })

  it('says whether any condition is armed, which is all that it costs without one', () => {
    expect(faults.conditionsArmed).toBe(false)
    arm('f', { when: 'partition(a-0).logEnd >= 100' })
    expect(faults.conditionsArmed).toBe(true)
    faults.retire('f')
    expect(faults.conditionsArmed).toBe(false)
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

  it('after another has hit so often in all nodes, of which this is one', () => {
    arm('f')
    arm('g', { after: { fault: 'f', hits: 2 } })
    occasions('f', 1)
    faults.hitElsewhere('f', 1)
    expect(occasions('g', 1)).toBe('-')
    faults.hitElsewhere('f', 2)
    expect(occasions('g', 1)).toBe('x')
  })

  it('a clock after another has hit, though a clock has no occasions', () => {
    const noticed: string[] = []
    faults.onNotice = (armed) => noticed.push(armed.fault.id)
    arm('c', { after: { fault: 'f', hits: 2 } }, { family: 'clock', kind: 'freeze' })
    faults.hitElsewhere('f', 1)
    expect(noticed).toEqual([])
    faults.hitElsewhere('f', 2)
    faults.hitElsewhere('f', 3)
    expect(noticed).toEqual(['c'])
  })

  it('what the tally of all nodes says: so often together, this one of all, every so many of all', () => {
    let counted = 0
    const nodes = [1, 2].map(() => new ArmedFaults({ emit: () => {} }, () => ++counted))
    const hits = (trigger: Trigger, count: number | null, turns: number) => {
      counted = 0
      const fault = {
        id: 'f',
        family: 'protocol',
        kind: 'delay',
        where: {},
        trigger,
        count,
        observe: false,
        parameters: {},
      } as const
      for (const node of nodes) node.arm(fault)
      return Array.from({ length: turns }, (_, i) => {
        const node = nodes[i % 2]!
        return node.hit(node.of('protocol')[0]!, {}) ? 'x' : '-'
      }).join('')
    }
    expect(hits({}, 3, 6)).toBe('xxx---')
    expect(hits({ nth: 4 }, null, 8)).toBe('---x----')
    expect(hits({ every: 3 }, null, 9)).toBe('--x--x--x')
    expect(hits({ every: 3 }, 2, 12)).toBe('--x--x------')
    expect(hits({}, null, 4)).toBe('xxxx')
  })

  it('once in all nodes for each time that they are told that it is due', () => {
    let counted = 0
    const tally = (_id: string, limit: number) => (counted < limit ? ++counted : undefined)
    const nodes = [1, 2].map(() => new ArmedFaults({ emit: () => {} }, tally))
    const options = { where: {}, count: null, observe: false, parameters: {} }
    for (const node of nodes) node.arm({ id: 'f', family: 'protocol', kind: 'delay', trigger: { told: true }, ...options })
    const both = () => nodes.map((node) => (node.hit(node.of('protocol')[0]!, {}) ? 'x' : '-')).join('')
    expect(both()).toBe('--')
    for (const node of nodes) node.owe('f', 1)
    expect(both() + both()).toBe('x---')
    for (const node of nodes) node.owe('f', 3)
    expect(both() + both()).toBe('xx--')
  })

  it('nothing that the tally has no number for', () => {
    const node = new ArmedFaults({ emit: () => {} }, () => undefined)
    node.arm({ id: 'f', family: 'protocol', kind: 'delay', where: {}, trigger: {}, count: 1, observe: false, parameters: {} })
    expect(node.hit(node.of('protocol')[0]!, {})).toBe(false)
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

describe('retiring', () => {
  it('ends its occasions, and leaves what is under way to be undone when it is disarmed', () => {
    arm('f')
    let undone = 0
    faults.of('protocol')[0]!.onDisarm(() => undone++)
    faults.retire('f')
    expect([undone, faults.of('protocol')]).toEqual([0, []])
    faults.disarm('f')
    expect(undone).toBe(1)
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
