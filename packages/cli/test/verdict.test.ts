// The judge of the failover run: for each thing that it says, a history that makes it say so.
import { describe, expect, it } from 'vitest'
import { History } from '../src/failover/history.ts'
import { type Fault, judge } from '../src/failover/verdict.ts'

const FAULT: Fault = { partition: 0, killedBroker: 1, leaderBefore: 1, killedMs: 1000, electedMs: 1900 }

/** 300 records of one partition, sent and acknowledged every 10 ms from 0 on, all read at the offset of their number. */
function goodHistory(): History {
  const history = new History()
  for (let i = 0; i < 300; i++) {
    history.begin(0, i, i * 10).ackedMs = i * 10 + 5
    history.read({ partition: 0, offset: i, sequence: i, readMs: i * 10 + 8 })
  }
  return history
}

function readsExcept(change: (sequence: number) => number[]): History {
  const history = new History()
  let offset = 0
  for (let i = 0; i < 300; i++) {
    history.begin(0, i, i * 10).ackedMs = i * 10 + 5
    for (const sequence of change(i)) history.read({ partition: 0, offset: offset++, sequence, readMs: 0 })
  }
  return history
}

describe('the verdict of a failover run', () => {
  it('passes when every acknowledged record is there once and in order', () => {
    const verdict = judge(goodHistory(), FAULT)
    expect(verdict).toMatchObject({ outcome: 'pass', acknowledged: 300, found: 300, lost: 0, duplicated: 0, outOfOrder: 0 })
    expect(verdict.acknowledgedBefore).toBe(100)
    expect(verdict.longestGapMs).toBe(10)
  })

  it('passes when a record whose acknowledgement never came is there, or is not', () => {
    const history = goodHistory()
    history.begin(0, 300, 3000)
    history.begin(0, 301, 3000)
    history.read({ partition: 0, offset: 300, sequence: 300, readMs: 0 })
    expect(judge(history, FAULT)).toMatchObject({ outcome: 'pass', indeterminate: 2 })
  })

  it('fails for a record that is gone', () => {
    expect(
      judge(
        readsExcept((i) => (i === 150 ? [] : [i])),
        FAULT,
      ),
    ).toMatchObject({ outcome: 'fail', lost: 1 })
  })

  it('fails for a record that is there twice', () => {
    expect(
      judge(
        readsExcept((i) => (i === 150 ? [i, i] : [i])),
        FAULT,
      ),
    ).toMatchObject({ outcome: 'fail', duplicated: 1, outOfOrder: 0 })
  })

  it('fails for records that changed places', () => {
    const swapped = readsExcept((i) => (i === 150 ? [151] : i === 151 ? [150] : [i]))
    expect(judge(swapped, FAULT)).toMatchObject({ outcome: 'fail', outOfOrder: 1, lost: 0 })
  })

  it('fails for an offset that held two records', () => {
    const history = goodHistory()
    history.read({ partition: 0, offset: 7, sequence: 8, readMs: 0 })
    expect(judge(history, FAULT)).toMatchObject({ outcome: 'fail', contradictory: 1 })
  })

  it.each([
    ['nothing was killed', undefined],
    ['another broker was killed', { ...FAULT, leaderBefore: 2 }],
    ['nobody was elected', { ...FAULT, electedMs: undefined }],
    ['it came before there was traffic', { ...FAULT, killedMs: 50 }],
    ['it came after the traffic', { ...FAULT, killedMs: 2500, electedMs: 2990 }],
  ])('is inconclusive when %s', (_, fault) => {
    expect(judge(goodHistory(), fault).outcome).toBe('inconclusive')
  })
})
