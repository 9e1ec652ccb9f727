// The report: what it is drawn from stays small whatever the run's size, and it draws itself in a real browser where there is one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterEvent } from '@faultline/director'
import { describe, expect, it } from 'vitest'
import { Browser, CHROMIUM } from '../../../test/support/browser.ts'
import { type Evidence, History, identityOf, judge, readExperiment, reportData, reportHtml } from '../src/index.ts'

/** Made with the bundles. */
const PAGE = join(import.meta.dirname, '../../../dist/report-page')

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
    event(22_000, 'fault.begin', { fault: 'f2', family: 'protocol', kind: 'error' }),
    event(40_000, 'fault.hit', { fault: 'f2', api: 'OffsetCommit' }),
    event(40_001, 'client.error', { api: 'OffsetCommit', client: 'r', error: 'UNKNOWN_SERVER_ERROR', group: 'g' }),
    event(41_000, 'fault.end', { fault: 'f2' }),
    event(50_000, 'client.error', { api: 'Fetch', client: 'r', error: 'OFFSET_OUT_OF_RANGE', topic: 't', partition: 0 }),
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
  const groups = [5, 80, 0].map((records, i) => ({
    at: 20_000 + i * 10_000,
    group: 'g',
    state: 'Stable',
    members: 1,
    positions: [{ partition: 't-0', committed: 100, end: 100 + records }],
  }))
  const nothing = { faults: [], died: [], groups, views: [], replicas: [], copies: [] }
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
    expect(data.faults[0]).toMatchObject({ from: 20_000, to: 60_000, label: 'f1: process kill', hits: [{ at: 20_001 }] })
    expect(data.down).toEqual([{ node: 'broker:1', from: 20_001, to: 29_000, label: 'broker:1: SIGKILL' }])
    expect(data.partitions[0]!.states.map((s) => [s.at, s.leader, s.isr.length])).toEqual([
      [0, 1, 3],
      [22_000, 2, 2],
    ])
    expect(data.errors).toContainEqual(
      expect.objectContaining({ at: 22_100, count: 5, label: 'Produce of p: NOT_LEADER_OR_FOLLOWER on t-0' }),
    )
    expect(data.lag).toEqual([{ group: 'g', records: expect.arrayContaining([5, 80, 0, -1]) }])
    const found = judge({ ...made, experiment: { ...made.experiment, expect: { unavailability: 0 } } })
    expect(reportData(made, found).findings).toContainEqual(expect.objectContaining({ what: 'unavailability', partition: 't-0' }))
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

  it('tells of errors that are alike together when there are too many, and drops none', () => {
    const made = evidence(3000)
    const error = made.events.find((e) => e.event === 'client.error')!
    const many = Array.from({ length: 50_000 }, (_, i) => ({ ...error, t: 22_000 + i / 2, repeated: 0 }))
    const { errors } = reportData({ ...made, events: many }, judge(made))
    expect(errors.length).toBeLessThanOrEqual(2000)
    expect(errors.reduce((sum, e) => sum + e.count, 0)).toBe(50_000)
  })
})

describe.skipIf(CHROMIUM === undefined)('the report in a browser, without a network', () => {
  async function inBrowser(look: (browser: Browser) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'report-'))
    const browser = await Browser.start()
    try {
      const made = evidence(3000)
      const sent = made.history.sends[0]!
      const place = { topic: 't', partition: 0, key: '', at: 61_000 } as const
      const twice = { op: 'read', process: 'final', value: identityOf(sent), ...place } as const
      made.history.final.push({ ...twice, offset: 0 }, { ...twice, offset: 1 })
      const file = join(folder, 'report.html')
      writeFileSync(file, reportHtml(reportData(made, judge(made)), PAGE))
      await browser.open(file)
      await look(browser)
    } finally {
      await browser.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }

  it('says everything, whatever the words in it', () =>
    inBrowser(async (browser) => {
      const words = await browser.evaluate<string>('document.body.textContent')
      expect(words).toContain('</script> & <b>an example</b>')
      const said = ['f1: process kill', 'broker:1: SIGKILL', 't-0: leader 2, epoch 1', 'nothing expected: duplicated: 1']
      const lanes = ['faults and hits', 'leaders, ISR sizes', 'elections', 'group rebalances', 'client errors', 'anomalies']
      for (const part of [...said, ...lanes, 'throughput', 'time to acknowledge']) expect(words).toContain(part)
    }))

  it('has a lane for lag, with a line for each group', () =>
    inBrowser(async (browser) => {
      expect(await browser.evaluate('document.body.textContent')).toContain('up to 80 records')
      // Looks ten seconds apart are no line, but each is a place on it.
      expect(await browser.evaluate(`document.querySelector('path[data-line=g]').getAttribute('d')`)).toMatch(/^M.*M.*M/)
    }))

  it('shows beside an error what explains it, and lights it up in the lanes', () =>
    inBrowser(async (browser) => {
      const detail = () => browser.evaluate<string>(`document.getElementById('detail').textContent`)
      const lit = () =>
        browser.evaluate<string[]>(
          `[...document.querySelectorAll('svg .cause')].map((c) => c.querySelector('title').textContent)`,
        )
      await browser.click('svg .error[data-key*=Produce]')
      expect(await detail()).toMatch(/Produce of p: NOT_LEADER.*broker:1: SIGKILL, which led t-0.*broker 2 is elected for t-0/)
      expect(await lit()).toContainEqual(expect.stringMatching(/^broker:1: SIGKILL/))
      await browser.click('svg .error[data-key*=OffsetCommit]')
      expect(await detail()).toMatch(/explains itf2 hits broker:1, OffsetCommit: the same node and api/)
      expect(await lit()).toContainEqual(expect.stringMatching(/f2 hits broker:1/))
      expect(await lit()).not.toContainEqual(expect.stringMatching(/^broker:1: SIGKILL/))
      await browser.click('svg .error[data-key*=Fetch]')
      expect(await detail()).not.toMatch(/f2|SIGKILL/)
      await browser.click('svg .finding')
      expect(await detail()).toContain('duplicated: t-0')
      await browser.press('Escape')
      expect(await browser.evaluate(`document.getElementById('detail').hidden`)).toBe(true)
    }))

  it('zooms to what is dragged over, moves, and goes back to everything', () =>
    inBrowser(async (browser) => {
      const times = () =>
        browser.evaluate<string[]>(`[...document.querySelectorAll('svg text[text-anchor=middle]')].map((t) => t.textContent)`)
      const everything = await times()
      const place = await browser.placeOf('svg .error[data-key*=Produce]')
      await browser.drag({ x: place.x - 30, y: place.y - 60 }, { x: place.x + 30, y: place.y - 60 })
      const near = await times()
      expect(near.every((t) => Math.abs(Number.parseFloat(t) - 22.1) < 5)).toBe(true)
      expect(await browser.evaluate(`document.querySelectorAll('svg .error').length`)).toBe(1)
      await browser.press('ArrowRight')
      expect(Number.parseFloat((await times())[0]!)).toBeGreaterThan(Number.parseFloat(near[0]!))
      await browser.press('0')
      expect(await times()).toEqual(everything)
    }))

  it('is dark or light as it is wanted, and on paper light', () =>
    inBrowser(async (browser) => {
      const brightness = () => browser.evaluate<number>(`Number(/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0])`)
      const media = (media: string, value: string) =>
        browser.ask('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value }] })
      await media('screen', 'dark')
      expect(await brightness()).toBeLessThan(60)
      await media('print', 'dark')
      expect(await brightness()).toBeGreaterThan(200)
      await media('screen', 'light')
      expect(await brightness()).toBeGreaterThan(200)
      await browser.click('header .tools button')
      expect(await brightness()).toBeLessThan(60)
    }))
})
