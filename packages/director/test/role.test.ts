// Roles as the active controller's metadata has them.
import { Refusal } from '@faultline/base'
import { partitionOf } from '@faultline/coordinator'
import { describe, expect, it } from 'vitest'
import { holderOf } from '../src/role.ts'
import type { NodeReport } from '../src/fleet.ts'

const OFFSETS = Array.from({ length: 50 }, (_, i) => ({ leader: i === 7 ? -1 : (i % 3) + 1 }))
const active: NodeReport = {
  id: 102,
  role: 'controller',
  name: 'controller:102',
  pid: 1,
  port: 1,
  httpPort: 2,
  state: 'active',
  report: {
    state: 'active',
    topics: [
      {
        name: 'a-b',
        partitions: [
          { leader: 3, isr: [3, 1, 2] },
          { leader: -1, isr: [2] },
          { leader: 1, isr: [1] },
        ],
      },
      { name: '__consumer_offsets', partitions: OFFSETS },
    ],
  },
}

describe('a role', () => {
  it('is held by a node', () => {
    expect(holderOf('controller:active', active)).toBe('controller:102')
    expect(holderOf('leader:a-b-0', active)).toBe('broker:3')
    expect(holderOf('follower:a-b-0', active)).toBe('broker:1')
    for (const group of ['order-processor', 'with:colons', 'группа', '']) {
      const { leader } = OFFSETS[partitionOf(group, 50)]!
      expect(holderOf(`coordinator:group:${group}`, active)).toBe(`broker:${leader}`)
    }
  })

  it('is held by nobody, and the refusal says why', () => {
    const refused = (selector: string, of: NodeReport | undefined) => {
      try {
        return holderOf(selector, of)
      } catch (error) {
        return error instanceof Refusal && `${error.code}: ${error.message}`
      }
    }
    const unled = [...'abcdefghijklmnopqrstuvwxyz'].map((c) => `g${c}`).find((g) => partitionOf(g, 50) === 7) ?? 'none'
    expect(refused('controller:active', undefined)).toBe('UNKNOWN_NODE: no controller is active now')
    expect(refused('coordinator:group:g', undefined)).toBe('UNKNOWN_NODE: no controller is active now')
    expect(refused('leader:a-b-1', active)).toBe('UNKNOWN_NODE: a-b-1 has no leader now')
    expect(refused('leader:a-b-3', active)).toBe('UNKNOWN_NODE: there is no partition a-b-3')
    expect(refused('follower:a-b-3', active)).toBe('UNKNOWN_NODE: there is no partition a-b-3')
    expect(refused('follower:a-b-2', active)).toBe('UNKNOWN_NODE: nobody follows a-b-2 in sync now')
    expect(refused(`coordinator:group:${unled}`, active)).toBe(
      `UNKNOWN_NODE: nobody coordinates ${unled} now: __consumer_offsets-7 has no leader`,
    )
    expect(refused('coordinator:txn:t', active)).toBe('UNKNOWN_NODE: nobody coordinates t: there is no __transaction_state yet')
  })

  it('is not any word', () => {
    for (const word of ['broker:9', 'coordinator:group', 'coordinator:share:x', 'coordinator', '', 'controller:9'])
      expect(holderOf(word, active)).toBeUndefined()
  })
})
