// Which links a cluster has, what flows from whom to whom, and the shapes of partitions.
import { describe, expect, it } from 'vitest'
import { cutPairs } from '../src/fault/partition-shape.ts'
import { allLinks, CLIENTS, flows } from '../src/links/link.ts'

const NAMES = ['broker:1', 'broker:2', 'controller:101', 'controller:102']

describe('the links of a cluster', () => {
  it('are those of clients, followers, brokers that ask each other, and all that ask controllers', () => {
    const count = (plane: string) => allLinks(NAMES).filter((l) => l.plane === plane).length
    expect([count('client'), count('replication'), count('control')]).toEqual([2, 2, 2 + 2 * 2 + 2])
  })

  it('have names of their own that are at home in a URL', () => {
    const names = allLinks(NAMES).map((l) => l.name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(encodeURIComponent(name)).toBe(name)
  })

  it('carry what one node sends to another on whatever either dialled', () => {
    const chosen = flows(allLinks(NAMES), {
      from: new Set(['broker:1']),
      to: new Set(['broker:2']),
      planes: ['replication'],
    })
    expect(chosen.map((f) => [f.link.name, f.stream])).toEqual([
      ['broker-1.broker-2.replication', 'upstream'],
      ['broker-2.broker-1.replication', 'downstream'],
    ])
    const answers = flows(allLinks(NAMES), { from: new Set(['broker:1']), to: new Set([CLIENTS]), planes: ['client'] })
    expect(answers.map((f) => [f.link.name, f.stream])).toEqual([['clients.broker-1.client', 'downstream']])
  })
})

describe('a partition', () => {
  const sees = (shape: string, names: readonly string[]) => {
    const cut = new Set(cutPairs(shape, names).map((p) => p.join()))
    const hears = (a: string, b: string) => !cut.has([b, a].join()) && a !== b
    return Object.fromEntries(names.map((a) => [a, names.filter((b) => hears(a, b)).join('')]))
  }
  const five = ['a', 'b', 'c', 'd', 'e']

  it('isolates one', () => {
    expect(sees('isolate', five)).toEqual({ a: '', b: 'cde', c: 'bde', d: 'bce', e: 'bcd' })
  })

  it('makes halves', () => {
    expect(sees('halves', five)).toEqual({ a: 'b', b: 'a', c: 'de', d: 'ce', e: 'cd' })
  })

  it('leaves one bridge', () => {
    expect(sees('bridge', five)).toEqual({ a: 'bcde', b: 'ac', c: 'ab', d: 'ae', e: 'ad' })
  })

  it('is a ring in which everybody sees a majority, and no two the same', () => {
    const ring = sees('ring', five)
    expect(new Set(Object.entries(ring).map(([a, others]) => [a, ...others].sort().join(''))).size).toBe(5)
    for (const others of Object.values(ring)) expect(others.length + 1).toBe(3)
    expect(sees('ring', ['a', 'b', 'c'])).toEqual({ a: 'b', b: 'c', c: 'a' })
  })
})
