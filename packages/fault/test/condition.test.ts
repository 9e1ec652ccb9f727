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
      { subject: 'txn', key: 't1', field: 'state', operator: '=', value: 'PrepareCommit', column: 1 },
    ])
    expect(parseCondition(' isr( orders-3 ).size<=1 ')).toEqual([
      { subject: 'isr', key: 'orders-3', field: 'size', operator: '<=', value: 1, column: 2 },
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
    'isr(a-0).size > 2 and isr(a-0).size <= 3',
    'isr(a-0).size != 0 and isr(a-0).size != 1 and isr(a-0).size < 3',
    'member(g:client-1).count >= 1',
    'offset(my group:orders-0).committed >= 100',
    'follower(orders-0:2).lag > 1000',
    'client(my-app).connections = 0',
    'controller(active).epoch > 1 and controller(active).id != 101',
    'broker(2).state = CONTROLLED_SHUTDOWN',
    'group(g).state != Stable and group(g).members > 1',
  ])('"%s" can be true', (text) => {
    expect(parseCondition(text).length).toBeGreaterThan(0)
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
    ['isr(a-0).size = 1 and isr(a-1).size = 1', 23, /no process sees both/],
    ['isr(orders).size = 1', 5, /topic-partition is expected, not "orders"/],
    ['partition(orders).logEnd > 1', 11, /topic-partition is expected, not "orders"/],
    ['follower(orders-0).lag > 1', 10, /topic-partition:broker id is expected/],
    ['broker(two).fenced = true', 8, /broker id is expected, not "two"/],
    ['controller(2).epoch > 1', 12, /active is expected, not "2"/],
    ['offset(g:orders-0).lag > 10', 20, /nobody owns a group's lag/],
    ['partition(a-0).highWatermark >= soon', 33, /no number/],
    ['txn(t1).state = PrepareComit', 17, /"PrepareComit" is none of Empty/],
    ['broker(2).fenced = maybe', 20, /none of true, false/],
    ['isr(a-0).size = -1', 1, /size = -1 can never be true: it is a whole number from 0 on/],
    ['isr(a-0).size > 2 and isr(a-0).size < 3', 1, /can never be true/],
    ['group(g).state = Stable and group(g).state = Empty', 1, /can never be true: it is one of/],
    ['partition(a-0).logEnd = 1.5', 1, /can never be true/],
  ])('"%s" is refused at column %i', (text, column, message) => {
    expect(columnOf(text)).toEqual([column, expect.stringMatching(message)])
  })
})
