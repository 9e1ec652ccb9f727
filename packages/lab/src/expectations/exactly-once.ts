// Each key of one topic once in another, or at least once, as readers with isolation.level=read_committed see both; and where it is not so, how it came to that, as far
// as brokers have seen it.
import { Findings } from '../checkers/checker.ts'
import type { Expectations } from '../experiment/schema.ts'
import type { Commit, Read } from '../history/history.ts'
import { legalIn } from './anomalies.ts'
import type { Evidence, Expectation } from './expectation.ts'

const UNFENCED = 'kafkajs commits without a generation (KIP-447), so a member that was removed may still copy'

/** How many of its reasons are looked for. */
const EXPLAINED = 5

export const exactlyOnce: Expectation<'exactlyOnce'> = {
  expectation: 'exactlyOnce',
  judge: (limit, evidence) => copied(limit, evidence, 'once', (count) => count === 1),
}

export const atLeastOnce: Expectation<'atLeastOnce'> = {
  expectation: 'atLeastOnce',
  judge: (limit, evidence) => copied(limit, evidence, 'at least once', (count) => count >= 1),
}

type Copies = NonNullable<Expectations['exactlyOnce']>

function copied({ from, to }: Copies, evidence: Evidence, often: string, isRight: (count: number) => boolean) {
  const { history, experiment } = evidence
  const counts = new Map<string, number>()
  for (const { topic, key } of history.final) if (topic === to) counts.set(key, (counts.get(key) ?? 0) + 1)
  const input = new Map(history.final.flatMap((r) => (r.topic === from ? [[r.key, r] as const] : [])))
  const findings = new Findings()
  const members = experiment.workload.some((w) => w.kind === 'transform' && w.to === to && w.members > 1)
  const wrong = { lost: 0, 'more than once': 0, [`not of ${from}`]: 0 }
  for (const [key, read] of input) {
    const count = counts.get(key) ?? 0
    if (isRight(count)) continue
    wrong[count === 0 ? 'lost' : 'more than once']++
    const isExplained = wrong.lost + wrong['more than once'] <= EXPLAINED
    const why = !isExplained ? '' : count === 0 ? saidToBeDone(evidence, read) : writers(evidence, to, key)
    findings.add(`${key} is ${count} times in ${to}${why}`, members && count > 1 ? UNFENCED : undefined)
  }
  for (const key of counts.keys()) {
    if (input.has(key)) continue
    wrong[`not of ${from}`]!++
    findings.add(`${key} is in ${to}, and not in ${from}`)
  }
  const { count, legal, reasons, examples } = findings.of(input.size)
  const words = Object.entries(wrong).flatMap(([what, n]) => (n > 0 ? [`${n} ${what}`] : []))
  const right = `${input.size - Math.min(count, input.size)} of ${input.size}${words.length > 0 ? `: ${words.join(', ')}` : ''}`
  return {
    status: input.size === 0 ? ('untested' as const) : count > 0 ? ('broken' as const) : ('met' as const),
    limit: `each key of ${from} ${often} in ${to}`,
    found: input.size === 0 ? `${from} is empty` : `${right}${legalIn(count, legal, reasons)}`,
    examples,
  }
}

/** Who wrote it, each time, where that was a program. */
function writers({ history, brokenAt }: Evidence, to: string, key: string): string {
  const sends = history.final
    .filter((r) => r.topic === to && r.key === key)
    .flatMap(
      (r) => history.sends.find((s) => s.seen && s.topic === to && s.partition === r.partition && s.offset === r.offset) ?? [],
    )
  return sends.length === 0 ? '' : `: ${sends.map((s) => `written by ${s.process} at ${since(s.began, brokenAt)}`).join(', ')}`
}

/** As the story of a run has it, from the first step on. */
function since(time: number, brokenAt: number): string {
  const seconds = (time - brokenAt) / 1000
  return `${seconds < 0 ? '' : '+'}${seconds.toFixed(2)}s`
}

/** Who has said first that it is done with it. */
function saidToBeDone({ history, brokenAt }: Evidence, { topic, partition, offset }: Read): string {
  const covers = ({ positions }: Pick<Commit, 'positions'>) =>
    positions.some((p) => p.topic === topic && p.partition === partition && p.offset > offset)
  const first = history.commits.find(covers)
  if (!first) return ''
  return `: ${first.process} committed ${topic}-${partition}@${offset} as done at ${since(first.began, brokenAt)}`
}
