// Conditions: what can be said, and what is answered to what cannot.
import { describe, expect, it } from 'vitest'
import { ConditionError, holds, parseCondition } from '../src/index.ts'

const columnOf = (text: string): [number, string] => {
  try {
    parseCondition(text)
  } catch (error) {
    if (error instanceof ConditionError) return [error.column, error.message]
  }
  throw new Error(`"${text}" was understood`)
}

describe('a condition', () => {
  it('is a subject with a key, a field, and what it is compared with', () => {
    expect(parseCondition('txn(t1).state = PrepareCommit')).toEqual([
      { subject: 'txn', key: 't1', field: 'state', operator: '=', value: 'PrepareCommit' },
    ])
    expect(parseCondition(' isr( orders-3 ).size<=1 ')).toEqual([
      { subject: 'isr', key: 'orders-3', field: 'size', operator: '<=', value: 1 },
    ])
    expect(parseCondition('group(my group).state = "Stable" and group(my group).members >= 3')).toHaveLength(2)
  })

  it('holds when all that it compares does', () => {
    const condition = parseCondition('group(g).state = Stable and group(g).members > 2')
    expect(holds(condition, { state: 'Stable', members: 3 })).toBe(true)
    expect(holds(condition, { state: 'Stable', members: 2 })).toBe(false)
    expect(holds(condition, { members: 3 })).toBe(false)
    expect(holds(parseCondition('leader(a-0).id != 2'), { id: 3 })).toBe(true)
  })

  it.each([
    ['', 1, /one of txn, group/],
    ['tnx(t1).state = Empty', 1, /"tnx" is none of/],
    ['txn t1', 5, /"\(" and a transactional id/],
    ['txn(t1', 7, /"\)"/],
    ['txn().state = Empty', 5, /expected a transactional id/],
    ['txn(t1).stat = Empty', 9, /no "stat", but state/],
    ['txn(t1).state : Empty', 15, /one of = != </],
    ['txn(t1).state =', 16, /a value, found the end/],
    ['isr(a-0).size < many', 17, /no number/],
    ['txn(t1).state = Empty or', 23, /"and" or the end, found "or"/],
    ['isr(a-0).size = 1 and isr(a-1).size = 1', 1, /no process sees both/],
  ])('"%s" is refused at column %i', (text, column, message) => {
    expect(columnOf(text)).toEqual([column, expect.stringMatching(message)])
  })
})
