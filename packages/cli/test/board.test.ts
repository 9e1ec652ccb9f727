// The board of status --watch, drawn from reports as nodes give them.
import type { NodeReport } from '@faultline/director'
import { describe, expect, it } from 'vitest'
import { boardOf, boardText } from '../src/commands/board.ts'

const process = { pid: 1, port: 1, httpPort: 2 }

function controller(id: number, state: string, metadataOffset: number, topics: unknown[]): NodeReport {
  return { ...process, id, role: 'controller', name: `controller:${id}`, state, report: { state, metadataOffset, topics } }
}

/** `ends`: log end offsets by partition name; undefined for a broker that does not answer. */
function broker(id: number, state: string, ends?: Record<string, number>): NodeReport {
  const partitions = Object.entries(ends ?? {}).map(([name, logEndOffset]) => {
    const dash = name.lastIndexOf('-')
    return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)), logEndOffset }
  })
  const report = ends && { state, partitions }
  return { ...process, id, role: 'broker', name: `broker:${id}`, state, report }
}

function partition(index: number, leader: number, isr: number[], leaderEpoch = 0, replicas = [1, 2, 3]) {
  return { partition: index, leader, isr, leaderEpoch, replicas }
}

const TOPICS = [
  {
    name: 'orders',
    partitions: [partition(0, 1, [1, 2, 3]), partition(1, 1, [1, 2], 4), partition(2, 1, [1], 5), partition(3, -1, [3], 6)],
  },
  { name: 'audit', partitions: [partition(0, 2, [2], 1, [2])] },
]

const REPORTS = [
  controller(101, 'follower', 90, []),
  controller(102, 'active', 100, TOPICS),
  broker(1, 'running', { 'orders-0': 10, 'orders-1': 20, 'orders-2': 30, 'orders-3': 5 }),
  broker(2, 'running', { 'orders-0': 10, 'orders-1': 20, 'orders-2': 23, 'orders-3': 5, 'audit-0': 1 }),
  broker(3, 'stopped (SIGKILL)'),
]

describe('the board', () => {
  it('shows every partition on every broker', () => {
    const text = boardText(boardOf(REPORTS), ['12:00:00.000  broker:1  isr.shrink'], 40, 120)
    expect(text).toBe(
      [
        'controllers  101 follower   102 active',
        'brokers      1 running   2 running   3 stopped (SIGKILL)',
        '',
        'PARTITION  EPOCH  1  2  3  LAG',
        'audit-0    1      .  L  .  0',
        'orders-0   0      L  s  x  0',
        'orders-1   4      L  s  x  0    under-replicated',
        'orders-2   5      L  o  x  7    under-replicated',
        'orders-3   6      o  o  x  ?    offline',
        'L leader   s in sync   o lagging   x offline   LAG: records that the last replica is behind',
        '',
        '12:00:00.000  broker:1  isr.shrink',
      ].join('\n'),
    )
  })

  it('keeps to the terminal, and shows what is in trouble first', () => {
    const events = Array.from({ length: 50 }, (_, i) => `event ${i}`)
    const text = boardText(boardOf(REPORTS), events, 13, 40)
    const lines = text.split('\n')
    expect(lines.length).toBe(13)
    expect(lines.every((line) => line.length <= 40)).toBe(true)
    expect(text).toMatch(/orders-1.*\norders-2.*\norders-3.*\nand 2 more, all in sync\n/)
    expect(lines.slice(-3)).toEqual(['event 47', 'event 48', 'event 49'])
  })

  it('goes by the controller that knows most while none is active', () => {
    const leaderless = [controller(101, 'candidate', 90, []), controller(102, 'follower', 100, TOPICS)]
    expect(boardOf([...leaderless, ...REPORTS.slice(2)]).rows).toHaveLength(5)
    expect(boardOf(REPORTS.slice(2)).rows).toEqual([])
    expect(boardText(boardOf(REPORTS.slice(2)), [], 40, 120)).toContain('no topics yet')
  })
})
