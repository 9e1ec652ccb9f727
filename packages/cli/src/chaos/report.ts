// What a run, or a series of them, has come to, in words and tables.
import { join } from 'node:path'
import type { Evidence } from '@faultline/lab'
import { print, table } from '../output.ts'
import type { Played } from './play.ts'
import type { Outcome, Turn } from './series.ts'

/** Partitions whose story is told; the report has them all. */
const STORIES = 12

export function reportOf({ experiment, verdict, evidence, folder }: Played): void {
  const { expectations, outcome, reasons, acknowledged, indeterminate, failed, read } = verdict
  const stories = isrStories(evidence)
  if (stories.length > 0) print(`\n${table(['PARTITION', 'LEADER AND ISR SINCE THE FIRST STEP'], stories.slice(0, STORIES))}`)
  print('')
  print(
    table(
      ['expected', '', 'found', 'limit'],
      expectations.map((e) => [e.expectation, e.status, e.found, e.limit]),
    ),
  )
  for (const { examples } of expectations) for (const example of examples) print(`    ${example}`)
  const sent = `${acknowledged} acknowledged (${verdict.acknowledgedBefore} before the first step, ${verdict.acknowledgedAfter} after the last heal)`
  print(`\nrecords: ${sent}, ${indeterminate} open, ${failed} failed, ${read} there at the end`)
  for (const anomaly of verdict.unasked) print(`also found, with nothing expected: ${anomaly}`)
  print(`\nVERDICT: ${outcome.toUpperCase()}${experiment.verdict === 'fail' ? onPurpose(outcome) : ''}`)
  for (const reason of reasons) print(`  ${reason}`)
  print(`\nlook at it: ${join(folder, 'report.html')}`)
}

function onPurpose(outcome: Played['verdict']['outcome']): string {
  return outcome === 'fail' ? ', as it should: this experiment fails on purpose' : ', and it should have failed'
}

/** For each partition that changed: when, who led, and who was in sync. */
function isrStories({ experiment, events, brokenAt }: Evidence): [string, string][] {
  const topics = experiment.topics.map((t) => t.name)
  const stories = new Map<string, string[]>()
  for (const e of events) {
    if (e.event !== 'partition.change' || e.t < brokenAt || !topics.includes(String(e['topic']))) continue
    const name = `${e['topic']}-${e['partition']}`
    const who = Number(e['leader']) < 0 ? 'nobody' : String(e['leader'])
    const change = `+${((e.t - brokenAt) / 1000).toFixed(2)}s ${who} [${(e['isr'] as number[]).join(' ')}]`
    stories.set(name, [...(stories.get(name) ?? []), change])
  }
  return [...stories].sort(([a], [b]) => a.localeCompare(b)).map(([name, changes]) => [name, changes.join('  ')])
}

export interface Ended {
  readonly turn: Turn
  readonly outcome: Outcome
  readonly seconds: number
  readonly reasons: readonly string[]
  readonly folder: string | undefined
}

export function seriesTable(ended: readonly Ended[]): string {
  return table(
    ['run', 'verdict', 'took', 'why it is no pass', 'folder'],
    ended.map(({ turn, outcome, seconds, reasons, folder }) => [
      turn.what,
      outcome,
      `${seconds.toFixed(0)} s`,
      reasons[0] ?? '',
      folder ?? '',
    ]),
  )
}
