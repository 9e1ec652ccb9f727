// faultline chaos: experiments as files. run plays one and judges it; list shows what there is; new writes one to start from; open shows the last
// report.
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { Refusal } from '@faultline/base'
import {
  checkCopies,
  type Experiment,
  judge,
  readExperiment,
  Run,
  RunFolder,
  startLocal,
  type Verdict,
  withApp,
} from '@faultline/lab'
import { print, printJson, refusalText, table } from '../output.ts'

interface RunChoices {
  readonly output: 'text' | 'json'
  readonly disarmed: boolean
  readonly param: Readonly<Record<string, string>>
  /** A command, in the place of what reads in the experiment. */
  readonly app?: string
  readonly appReplicas: number
  readonly seed?: number
}

const EXIT_CODES = { pass: 0, fail: 1, inconclusive: 2 } as const
/** Refused before there could be a verdict. */
const NOT_RUN = 3
/** The catalogue, beside the bundles. */
const CATALOGUE = join(__dirname, '../chaos')

export async function chaos(action: string, what: readonly string[], options: RunChoices): Promise<void> {
  try {
    await act(action, what, options)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    process.stderr.write(refusalText(error))
    process.exit(NOT_RUN)
  }
}

async function act(action: string, what: readonly string[], options: RunChoices): Promise<void> {
  if (action === 'list') return list(options)
  if (action === 'run' && what.length === 1) return run(what[0]!, options)
  if (action === 'new' && what.length === 1) return begin(what[0]!)
  if (action === 'open' && what.length === 0) return open()
  const advice = 'use: chaos list, chaos run FILE, chaos new FILE, or: chaos open'
  throw new Refusal('BAD_ARGUMENT', `chaos ${[action, ...what].join(' ')} means nothing`, advice)
}

/** A commented experiment to start from. */
function begin(file: string): void {
  const path = resolve(file)
  if (existsSync(path)) throw new Refusal('BAD_ARGUMENT', `${file} is there already`, 'choose another name')
  writeFileSync(path, readFileSync(join(CATALOGUE, 'templates', 'new.yaml'), 'utf8'))
  print(`wrote ${file}\nrun it with: npx faultline chaos run ${file}`)
}

/** The last run's report, in the browser. */
function open(): void {
  const report = lastReport()
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open'
  const child = spawn(opener, [report], { stdio: 'ignore', detached: true })
  child.on('error', () => print(`there is no ${opener} here: open ${report} in a browser`))
  child.on('spawn', () => print(`opened ${report}`))
  child.unref()
}

function lastReport(): string {
  const runs = existsSync('runs') ? readdirSync('runs').map((name) => resolve('runs', name, 'report.html')) : []
  const [last] = runs.filter((path) => existsSync(path)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  if (last === undefined)
    throw new Refusal('BAD_ARGUMENT', 'there is no report under runs/', 'make one with: npx faultline chaos run leader-kill')
  return last
}

function list({ output }: RunChoices): void {
  const names = existsSync(CATALOGUE) ? readdirSync(CATALOGUE).filter((f) => f.endsWith('.yaml')) : []
  const all = names.sort().map((file) => readExperiment(file, readFileSync(join(CATALOGUE, file), 'utf8')))
  if (output === 'json') return printJson(all.map(({ name, about }) => ({ name, about })))
  print(
    table(
      ['experiment', 'what it shows'],
      all.map(({ name, about }) => [name, firstSentence(about)]),
    ),
  )
  print('\nrun one with: npx faultline chaos run NAME')
}

function firstSentence(text: string): string {
  return /^.*?[.:](?=\s|$)/s.exec(text.trim())?.[0].replace(/\s+/g, ' ') ?? text
}

/** A file, or a name of the catalogue. */
function load(name: string, given: RunChoices['param']): Experiment {
  const own = join(CATALOGUE, `${basename(name, '.yaml')}.yaml`)
  const file = existsSync(resolve(name)) ? resolve(name) : own
  if (!existsSync(file))
    throw new Refusal('BAD_ARGUMENT', `there is no file ${name}, and no experiment of that name`, 'see: npx faultline chaos list')
  const typed = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, valueOf(value)]))
  return readExperiment(name, readFileSync(file, 'utf8'), typed)
}

function valueOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

async function run(name: string, options: RunChoices): Promise<void> {
  const written = load(name, options.param)
  const experiment = options.app === undefined ? written : withApp(written, options.app, options.appReplicas)
  checkCopies(experiment)
  const folder = new RunFolder(experiment.name)
  const began = Date.now()
  const say = (text: string) => {
    if (options.output === 'text') print(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)}s  ${text}`)
  }
  const seed = options.seed ?? randomInt(2 ** 32)
  const playing = new Run({
    experiment,
    startWorld: (e) => startLocal(e, __dirname),
    logs: join(folder.path, 'logs'),
    disarmed: options.disarmed,
    seed,
    tell: say,
    keep: async ({ logs }) => folder.keepLogs(logs),
  })
  const interrupted = () => void playing.end().then(() => process.exit(130))
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  if (options.output === 'text') print(`${experiment.name}: ${firstSentence(experiment.about)}\nseed ${seed}\n`)
  const evidence = await playing.play()
  const verdict = judge(evidence)
  folder.write(evidence, verdict, join(__dirname, 'report-page'))
  if (options.output === 'json') printJson({ experiment: experiment.name, ...verdict, folder: folder.path })
  else report(verdict, folder.path)
  process.exit(EXIT_CODES[verdict.outcome])
}

function report(verdict: Verdict, folder: string): void {
  const { expectations, outcome, reasons, acknowledged, indeterminate, failed, read, unasked } = verdict
  print('')
  print(
    table(
      ['expected', '', 'found', 'limit'],
      expectations.map((e) => [e.expectation, e.status, e.found, e.limit]),
    ),
  )
  for (const { examples } of expectations) for (const example of examples) print(`    ${example}`)
  print(`\nrecords: ${acknowledged} acknowledged, ${indeterminate} open, ${failed} failed, ${read} there at the end`)
  for (const anomaly of unasked) print(`also found, with nothing expected: ${anomaly}`)
  print(`\n${outcome.toUpperCase()}`)
  for (const reason of reasons) print(`  ${reason}`)
  print(`\nlook at it: ${join(folder, 'report.html')}`)
}
