import { counter, gauge } from '@faultline/base'
import { expect, it } from 'vitest'
import { parseExposition } from '../../../test/support/exposition.ts'
import { exposition } from '../src/metrics/exposition.ts'

it('writes what Prometheus reads, whatever is in a label', () => {
  const odd = 'a "quoted" \\ and\nbroken'
  const text = exposition([
    counter('events_total', 'With a \\ and\na second line.', [{ labels: { what: odd, n: 1 }, value: 3 }]),
    gauge('nothing', 'Left out.', []),
    gauge('limit', 'Odd numbers.', Infinity),
    {
      name: 'times',
      type: 'summary',
      help: 'A summary.',
      samples: [
        { labels: { quantile: '0.5' }, value: NaN },
        { labels: {}, value: 1e-7, part: 'sum' },
        { labels: {}, value: 2, part: 'count' },
      ],
    },
  ])
  expect(text.split('\n').slice(0, 3)).toEqual([
    '# HELP events_total With a \\\\ and\\na second line.',
    '# TYPE events_total counter',
    'events_total{what="a \\"quoted\\" \\\\ and\\nbroken",n="1"} 3',
  ])
  const { samples, value } = parseExposition(text)
  expect(samples[0]).toEqual({ name: 'events_total', labels: { what: odd, n: '1' }, value: 3 })
  expect(samples.map((s) => s.name)).toEqual(['events_total', 'limit', 'times', 'times_sum', 'times_count'])
  expect(value('limit')).toBe(Infinity)
  expect(value('times', { quantile: '0.5' })).toBeNaN()
  expect(value('times_sum')).toBe(1e-7)
})
