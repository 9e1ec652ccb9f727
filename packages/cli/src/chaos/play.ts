// Plays one experiment at a terminal: what happens is told as it happens, and what is left is a folder and a verdict.
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { FAST_SETTINGS } from '@faultline/director'
import {
  type Evidence,
  type Experiment,
  judge,
  Run,
  RunFolder,
  startCompose,
  startLocal,
  type Verdict,
  type WorldName,
} from '@faultline/lab'
import { nodeTable } from '../commands/up.ts'
import { firstSentence } from './catalogue.ts'
import { Narrator } from './narrator.ts'
import { Screen } from './screen.ts'

/** With compose.yaml, beside the bundles. */
const DOCKER = join(__dirname, '../docker')

export interface Played {
  readonly experiment: Experiment
  readonly verdict: Verdict
  readonly evidence: Evidence
  /** Where its report is. */
  readonly folder: string
}

export interface PlayOptions {
  readonly world: WorldName
  readonly disarmed: boolean
  /** Nothing is told. */
  readonly quiet: boolean
  /** Of what workloads and faults draw by lot; any when left out. */
  readonly seed?: number
}

export async function play(
  experiment: Experiment,
  { world, disarmed, quiet, seed = randomInt(2 ** 32) }: PlayOptions,
): Promise<Played> {
  const folder = new RunFolder(experiment.name)
  const screen = new Screen(quiet)
  screen.line(`${experiment.name}: ${firstSentence(experiment.about)}\nseed ${seed}\n`)
  const { logs } = folder
  const run = new Run({
    experiment,
    startWorld: (wanted) => startTold(world, wanted, logs, screen),
    logs,
    edge: join(folder.path, 'edge.jsonl'),
    disarmed,
    seed,
    tell: (what) => screen.event(what),
    hear: (event) => narrator.hear(event),
    keep: (running) => running.saveLogs(logs),
  })
  const topics = experiment.topics.map((t) => t.name)
  const narrator = new Narrator((text) => screen.event(text), topics, run)
  screen.count(
    () => `acknowledged ${run.counts.acknowledged}  read ${run.counts.read}  under-replicated ${narrator.underReplicated}`,
  )
  let isInterrupted = false
  const interrupted = () => {
    isInterrupted = true
    screen.event('stopping: nothing of it is left behind')
    void run.end().then(() => process.exit(130))
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    const evidence = await run.play()
    const verdict = judge(evidence)
    folder.write(evidence, verdict, join(__dirname, 'report-page'))
    return { experiment, verdict, evidence, folder: folder.path }
  } catch (error) {
    // What fails because it is being ended is no news.
    if (isInterrupted) return await new Promise<never>(() => {})
    throw error
  } finally {
    screen.stop()
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
  }
}

async function startTold(name: WorldName, experiment: Experiment, logs: string, screen: Screen) {
  const tell = (what: string) => screen.event(what)
  const world =
    name === 'local' ? await startLocal(experiment, __dirname) : await startCompose(experiment, { docker: DOCKER, logs, tell })
  screen.line(`\n${nodeTable(await world.cluster.nodes())}`)
  const settings = Object.entries(FAST_SETTINGS).map((e) => e.join('='))
  screen.line(experiment.cluster.fast ? `\nshorter than Kafka's, for work at a screen: ${settings.join(' ')}\n` : '')
  return world
}
