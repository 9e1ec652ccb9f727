// A matrix of parameters becomes runs, and the verdicts of many become one.
import { Refusal } from '@faultline/base'
import { describe, expect, it } from 'vitest'
import { axis, turns, worst } from '../src/chaos/series.ts'

const complaint = (work: () => unknown) => {
  try {
    return work()
  } catch (error) {
    return error instanceof Refusal && error.message
  }
}

describe('a series of runs', () => {
  it('is one run when nothing is asked for', () => {
    expect(turns({ rate: '5' }, {}, 1)).toEqual([{ given: { rate: '5' }, what: '' }])
  })

  it('is every combination, each so many times', () => {
    const matrix = axis('acks=all,1', axis('brokers=3,5'))
    const all = turns({ rate: '5' }, matrix, 2)
    expect(all.map((t) => t.what)).toEqual([
      'brokers=3, acks=all, 1 of 2',
      'brokers=3, acks=all, 2 of 2',
      'brokers=3, acks=1, 1 of 2',
      'brokers=3, acks=1, 2 of 2',
      'brokers=5, acks=all, 1 of 2',
      'brokers=5, acks=all, 2 of 2',
      'brokers=5, acks=1, 1 of 2',
      'brokers=5, acks=1, 2 of 2',
    ])
    expect(all.at(-1)!.given).toEqual({ rate: '5', brokers: '5', acks: '1' })
  })

  it('is refused when it cannot be meant', () => {
    expect(complaint(() => axis('brokers'))).toBe('--matrix brokers has no values')
    expect(complaint(() => axis('brokers=3,'))).toBe('--matrix brokers=3, has no values')
    expect(complaint(() => turns({ brokers: '3' }, axis('brokers=3,5'), 1))).toBe('brokers is given by --param and by --matrix')
    expect(complaint(() => turns({}, {}, 0))).toBe('--repeat 0 is no number of runs')
  })

  it('is as bad as the worst of its runs', () => {
    expect(worst(['pass', 'pass'])).toBe('pass')
    expect(worst(['pass', 'inconclusive', 'pass'])).toBe('inconclusive')
    expect(worst(['not run', 'inconclusive'])).toBe('not run')
    expect(worst(['inconclusive', 'fail', 'not run'])).toBe('fail')
  })
})
