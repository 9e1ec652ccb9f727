// The report: what it is drawn from stays small whatever the run's size, and it draws itself in a real browser where there is one.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterEvent } from '@faultline/director'
import { describe, expect, it } from 'vitest'
import { type Evidence, History, identityOf, judge, readExperiment, reportData, reportHtml } from '../src/index.ts'

const PAGE = join(import.meta.dirname, '../src/report/page')
const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0)

function evidence(sends: number): Evidence {
  const experiment = readExperiment(
    'e.yaml',
    `name: "e"
about: "</script> & <b>an example</b>"
topics: [{ name: t, partitions: 1 }]
workload: [{ kind: producer, topic: t }]
timeline: [{ at: 0s, kill: "broker:1" }]
expect: { lost: 0 }`,
  )
  const history = new History()
  const step = 60_000 / sends
  for (let i = 0; i < sends; i++)
    Object.assign(history.begin('p', 't', 0, i, 1000 + i * step), { outcome: 'ok', ended: 1000 + i * step + 5 })
  const event = (t: number, name: string, fields: object) =>
    ({ seq: t, t, mono: t, node: 'broker:1', event: name, ...fields }) as ClusterEvent
  const events = [
    event(1000, 'leader.begin', { topic: 't', partition: 0, epoch: 0, isr: [1, 2, 3] }),
    event(21_000, 'fault.begin', { fault: 'f1', family: 'process', kind: 'kill' }),
    event(21_001, 'fault.hit', { fault: 'f1' }),
    event(21_001, 'process.exit', { name: 'broker:1', how: 'SIGKILL' }),
    event(23_000, 'partition.change', { topic: 't', partition: 0, leader: 2, leaderEpoch: 1, isr: [2, 3] }),
    event(23_100, 'client.error', {
      api: 'Produce',
      client: 'p',
      error: 'NOT_LEADER_OR_FOLLOWER',
      topic: 't',
      partition: 0,
      repeated: 4,
    }),
    event(30_000, 'process.start', { name: 'broker:1' }),
  ]
  const times = { brokenAt: 21_000, healedAt: 30_000, endedAt: 61_000, isrFullAt: 31_000 }
  const steps = [{ at: 21_000, what: 'kill broker:1' }]
  const nothing = { faults: [], died: [], groups: [], views: [], replicas: [], copies: [] }
  return { experiment, history, events, steps, seed: 1, disarmed: false, lag: undefined, ...nothing, ...times }
}

describe('the report', () => {
  it('is drawn from spans, marks and series that begin with the load', () => {
    const made = evidence(6000)
    const data = reportData(made, judge(made))
    expect(data).toMatchObject({
      durationMs: 60_000,
      brokenAt: 20_000,
      healedAt: 29_000,
      steps: [{ at: 20_000, label: 'kill broker:1' }],
    })
    expect(data.faults).toEqual([{ from: 20_000, to: 60_000, label: 'f1: process kill', hits: [20_001] }])
    expect(data.down).toEqual([{ from: 20_001, to: 29_000, label: 'broker:1: SIGKILL' }])
    expect(data.partitions[0]!.states.map((s) => [s.at, s.leader, s.isr.length])).toEqual([
      [0, 1, 3],
      [22_000, 2, 2],
    ])
    expect(data.errors).toMatchObject([{ at: 22_100, count: 5, label: 'Produce of p: NOT_LEADER_OR_FOLLOWER on t-0' }])
    expect(data.acknowledged.reduce((a, b) => a + b)).toBe(6000)
    expect(new Set(data.p99)).toEqual(new Set([5]))
  })

  it('of a run a hundred times as large is hardly larger', () => {
    const size = (sends: number) => {
      const made = evidence(sends)
      return reportHtml(reportData(made, judge(made)), PAGE).length
    }
    expect(size(300_000)).toBeLessThan(size(3000) * 1.2)
  })

  it.skipIf(CHROMIUM === undefined)('draws itself in a browser, without a network, whatever the words in it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'report-'))
    try {
      const made = evidence(3000)
      const sent = made.history.sends[0]!
      const twice = {
        op: 'read',
        process: 'final',
        topic: 't',
        partition: 0,
        key: '',
        value: identityOf(sent),
        at: 61_000,
      } as const
      made.history.final.push({ ...twice, offset: 0 }, { ...twice, offset: 1 })
      const file = join(folder, 'report.html')
      writeFileSync(file, reportHtml(reportData(made, judge(made)), PAGE))
      const args = [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        `--user-data-dir=${folder}/profile`,
        '--dump-dom',
        `file://${file}`,
      ]
      const { stdout } = spawnSync(CHROMIUM!, args, { encoding: 'utf8', timeout: 60_000 })
      const drawn = stdout.slice(stdout.lastIndexOf('</script>'))
      expect(drawn).toContain('&lt;/script&gt; &amp; &lt;b&gt;an example&lt;/b&gt;')
      for (const words of [
        'f1: process kill',
        'broker:1: SIGKILL',
        'client errors',
        't-0: leader 2, epoch 1',
        'Drag to zoom',
        'nothing expected: duplicated: 1',
      ])
        expect(drawn).toContain(words)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
