// The report of a run with a million operations and more errors, hits and elections than anybody looks at: how long it takes to make, how large it is,
// and how long Chromium takes until it has drawn it, and to show what explains an error. Exits with 1 when it is larger than 15 MB or opens in more than 2 s.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { ClusterEvent } from '../packages/director/src/index.ts'
import { type Evidence, History, identityOf, judge, readExperiment, reportData, reportHtml } from '../packages/lab/src/index.ts'
import { Browser, CHROMIUM } from '../test/support/browser.ts'

const OPERATIONS = 1_000_000
const PARTITIONS = 50
const RUN_MS = 600_000
const HAPPENINGS = 50_000
const LIMIT_BYTES = 15e6
const LIMIT_MS = 2000
const OPENINGS = 5

const experiment = readExperiment(
  'bench.yaml',
  `name: bench
about: a million operations
topics: [{ name: t, partitions: ${PARTITIONS} }]
workload: [{ kind: producer, topic: t }]
timeline: [{ at: 0s, kill: "broker:1" }]
expect: { lost: 0, duplicated: 0, unavailability: 1s }`,
)

/** A third each: sends, reads by consumers, what is there at the end, of which one in a hundred is lost. */
function history(): History {
  const made = new History()
  const third = Math.floor(OPERATIONS / 3)
  for (let i = 0; i < third; i++) {
    const [partition, sequence, began] = [i % PARTITIONS, Math.floor(i / PARTITIONS), (i * RUN_MS) / third]
    const send = made.begin('producer-1', 't', partition, sequence, began)
    Object.assign(send, { outcome: 'ok', ended: began + (i % 97), offset: sequence })
    const read = { op: 'read', topic: 't', partition, offset: sequence, key: '', value: identityOf(send) } as const
    made.reads.push({ ...read, process: 'group-2/0', at: began + 200 })
    if (i % 100 !== 0) made.final.push({ ...read, process: 'final', at: RUN_MS })
  }
  return made
}

function events(): ClusterEvent[] {
  return Array.from({ length: HAPPENINGS }, (_, i) => {
    const t = (i * RUN_MS) / HAPPENINGS
    const [node, partition] = [`broker:${1 + (i % 3)}`, i % PARTITIONS]
    const event = (name: string, fields: object) => ({ seq: i, t, mono: t, node, event: name, ...fields }) as ClusterEvent
    const about = { api: 'Produce', topic: 't', partition }
    const isr = [1, 2, 3].slice(0, 1 + (i % 3))
    const change = { topic: 't', partition, leader: 1 + (i % 3), leaderEpoch: i, isr, replicas: [1, 2, 3] }
    return [
      event('client.error', { ...about, client: 'producer-1', error: 'NOT_LEADER_OR_FOLLOWER', repeated: 0 }),
      event('fault.hit', { fault: 'f1', family: 'protocol', kind: 'error', ...about }),
      event('partition.change', change),
      event('group.state', { group: 'readers', state: 'PreparingRebalance', reason: 'a member left' }),
      i === 4 ? event('fault.begin', { fault: 'f1', family: 'protocol', kind: 'error' }) : event('process.pause', { name: node }),
    ][i % 5]!
  })
}

function groups(): Evidence['groups'] {
  return Array.from({ length: RUN_MS / 500 }, (_, i) => ({
    at: i * 500,
    group: 'readers',
    state: 'Stable',
    members: 3,
    positions: Array.from({ length: PARTITIONS }, (_p, p) => ({ partition: `t-${p}`, committed: i, end: i + (i % 100) })),
  }))
}

const evidence: Evidence = {
  ...{ experiment, history: history(), events: events(), groups: groups(), seed: 1, disarmed: false, lag: 0 },
  ...{ brokenAt: RUN_MS / 4, healedAt: RUN_MS / 2, endedAt: RUN_MS, isrFullAt: RUN_MS / 2 },
  ...{ faults: [], steps: [], died: [], views: [], replicas: [], copies: [] },
}

async function timed<T>(what: string, work: () => T | Promise<T>): Promise<[T, number]> {
  const began = performance.now()
  const result = await work()
  const ms = performance.now() - began
  console.log(`${what.padEnd(34)} ${ms.toFixed(0).padStart(6)} ms`)
  return [result, ms]
}

const folder = mkdtempSync(join(tmpdir(), 'bench-report-'))
const file = join(folder, 'report.html')
let slowest = 0
try {
  const [verdict] = await timed('judged', () => judge(evidence))
  const [html] = await timed('made', () => reportHtml(reportData(evidence, verdict), join(import.meta.dirname, 'report-page')))
  writeFileSync(file, html)
  console.log(`${'size'.padEnd(34)} ${(statSync(file).size / 1e6).toFixed(1).padStart(6)} MB`)
  if (CHROMIUM === undefined) console.log('there is no Chromium here')
  else {
    const browser = await Browser.start()
    for (let i = 0; i < OPENINGS; i++) slowest = Math.max(slowest, (await timed('opened and drawn', () => browser.open(file)))[1])
    await timed('an error clicked', () => browser.click('svg .error'))
    await timed('zoomed', () => browser.press('+').then(() => browser.evaluate('document.title')))
    await browser.close()
  }
  process.exitCode = statSync(file).size > LIMIT_BYTES || slowest > LIMIT_MS ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
