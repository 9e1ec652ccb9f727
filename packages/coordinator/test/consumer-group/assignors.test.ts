import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Assignee, type Assignor, ASSIGNORS } from '../../src/consumer-group/assignor/assignor.ts'
import type { Partitions } from '../../src/consumer-group/partitions.ts'

const uniform = ASSIGNORS.get('uniform')!
const range = ASSIGNORS.get('range')!

function member(id: string, topics: string[], target: Record<string, number[]> = {}, instanceId: string | null = null): Assignee {
  return { id, instanceId, topics: new Set(topics), target: new Map(Object.entries(target).map(([t, p]) => [t, new Set(p)])) }
}

function show(assigned: Map<string, Partitions>): Record<string, string> {
  return Object.fromEntries(
    [...assigned].map(([id, topics]) => [
      id,
      [...topics].map(([t, p]) => `${t}[${[...p].sort((a, b) => a - b).join()}]`).join(' '),
    ]),
  )
}

function sizes(assigned: Map<string, Partitions>): number[] {
  return [...assigned.values()].map((topics) => [...topics.values()].reduce((sum, { size }) => sum + size, 0))
}

interface Case {
  readonly members: readonly Assignee[]
  readonly counts: Record<string, number>
}

const TOPIC = fc.constantFrom('t', 'u', 'v', 'w')

function cases(alike: boolean): fc.Arbitrary<Case> {
  const counts = fc.record({ t: fc.nat(9), u: fc.nat(9), v: fc.nat(9), w: fc.nat(9) })
  const topics = fc.uniqueArray(TOPIC, { minLength: alike ? 1 : 0 })
  const target = fc.dictionary(TOPIC, fc.uniqueArray(fc.nat(11), { maxLength: 6 }))
  const members = fc.tuple(topics, fc.array(fc.tuple(topics, target, fc.boolean()), { minLength: 1, maxLength: 8 }))
  return fc.tuple(counts, members).map(([all, [common, list]]) => ({
    counts: all,
    members: list.map(([own, had, isStatic], i) => member(`m${i}`, alike ? common : own, had, isStatic ? `i${i}` : null)),
  }))
}

/** Each partition of each topic that somebody reads is with exactly one of its readers, and nobody has anything else. */
function checkComplete(assignor: Assignor, { members, counts }: Case): Map<string, Partitions> {
  const assigned = assignor(members, (topic) => counts[topic]!)
  const owners = new Map<string, number>()
  for (const { id, topics } of members) {
    for (const [topic, partitions] of assigned.get(id) ?? []) {
      expect(topics.has(topic)).toBe(true)
      for (const p of partitions) owners.set(`${topic}-${p}`, (owners.get(`${topic}-${p}`) ?? 0) + 1)
    }
  }
  const read = new Set(members.flatMap(({ topics }) => [...topics]))
  const all = [...read].flatMap((topic) => Array.from({ length: counts[topic]! }, (_, p) => `${topic}-${p}`))
  expect(Object.fromEntries(owners)).toEqual(Object.fromEntries(all.map((p) => [p, 1])))
  return assigned
}

describe('uniform', () => {
  it('gives everybody as many as the others, give or take one', () => {
    const assigned = uniform([member('a', ['t']), member('b', ['t']), member('c', ['t'])], () => 7)
    expect(sizes(assigned)).toEqual([3, 2, 2])
  })

  it('moves no more than it must', () => {
    const had = { a: [0, 1, 2], b: [3, 4], c: [5, 6] }
    const four = [...Object.entries(had).map(([id, p]) => member(id, ['t'], { t: p })), member('d', ['t'])]
    expect(show(uniform(four, () => 7))).toEqual({ a: 't[0,1]', b: 't[3,4]', c: 't[5,6]', d: 't[2]' })
    const gone = [member('a', ['t'], { t: [0, 1] }), member('b', ['t'], { t: [3, 4] }), member('d', ['t'], { t: [2] })]
    expect(show(uniform(gone, () => 7))).toEqual({ a: 't[0,1,5]', b: 't[3,4]', d: 't[2,6]' })
  })

  it('leaves the one more that not all can have with who has it', () => {
    const members = [member('a', ['t'], { t: [0] }), member('b', ['t'], { t: [1, 2] })]
    expect(show(uniform(members, () => 3))).toEqual({ a: 't[0]', b: 't[1,2]' })
  })

  it('evens out members who read different topics', () => {
    const members = [member('a', ['t', 'u'], { t: [0, 1, 2, 3], u: [0, 1, 2, 3] }), member('b', ['t'])]
    expect(show(uniform(members, () => 4))).toEqual({ a: 'u[0,1,2,3]', b: 't[0,1,2,3]' })
  })

  it('is complete and even, and stays as it is, whatever was before', () => {
    fc.assert(
      fc.property(cases(true), (it) => {
        const assigned = checkComplete(uniform, it)
        expect(Math.max(...sizes(assigned)) - Math.min(...sizes(assigned))).toBeLessThanOrEqual(1)
        const again = it.members.map((m) => ({ ...m, target: assigned.get(m.id)! }))
        expect(show(uniform(again, (topic) => it.counts[topic]!))).toEqual(show(assigned))
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  it('is complete where members read different topics, and no single move makes it more even', () => {
    fc.assert(
      fc.property(cases(false), (it) => {
        const assigned = checkComplete(uniform, it)
        const size = new Map([...assigned].map(([id], i) => [id, sizes(assigned)[i]!]))
        for (const from of it.members)
          for (const topic of assigned.get(from.id)!.keys())
            for (const to of it.members)
              if (to.topics.has(topic)) expect(size.get(from.id)! - size.get(to.id)!).toBeLessThanOrEqual(1)
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  it('takes a thousand members of ten thousand partitions in its stride', () => {
    const members = Array.from({ length: 1000 }, (_, i) => member(`m${i}`, ['t', 'u']))
    const assigned = uniform(members, () => 5000)
    expect(new Set(sizes(assigned))).toEqual(new Set([10]))
  })
})

describe('range', () => {
  it('gives members who read the same topics the same partitions of each', () => {
    const members = [member('b', ['t', 'u']), member('a', ['t', 'u']), member('c', ['t', 'u'])]
    expect(show(range(members, () => 7))).toEqual({ a: 't[0,1,2] u[0,1,2]', b: 't[3,4] u[3,4]', c: 't[5,6] u[5,6]' })
  })

  it('puts static members first, by their instance ids', () => {
    const members = [member('a', ['t']), member('z', ['t'], {}, 'i1'), member('b', ['t'], {}, 'i2')]
    expect(show(range(members, () => 3))).toEqual({ z: 't[0]', b: 't[1]', a: 't[2]' })
  })

  it('is complete, and differs by one within a topic', () => {
    fc.assert(
      fc.property(cases(false), (it) => {
        const assigned = checkComplete(range, it)
        for (const topic of Object.keys(it.counts)) {
          const all = it.members.filter((m) => m.topics.has(topic)).map((m) => assigned.get(m.id)!.get(topic)?.size ?? 0)
          if (all.length > 0) expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 500, seed: 1 },
    )
  })
})
