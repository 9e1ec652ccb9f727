// faultline chaos: experiments as files. run plays one and judges it; list shows what there is; new writes one to start from; open shows the
// last report; schema is for editors.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { Refusal } from '@faultline/base'
import { checkCommand, type Experiment, experimentJsonSchema, type WorldName } from '@faultline/lab'
import { byTheme, CATALOGUE, catalogue, firstSentence, load, type Parameters, SCHEMA } from '../chaos/catalogue.ts'
import { play } from '../chaos/play.ts'
import { type Ended, reportOf, seriesTable } from '../chaos/report.ts'
import { type Matrix, type Turn, turns, worst } from '../chaos/series.ts'
import { print, printJson, refusalText } from '../output.ts'

interface RunChoices {
  readonly output: 'text' | 'json'
  readonly disarmed: boolean
  readonly param: Parameters
  readonly matrix: Matrix
  readonly repeat: number
  /** A command, in the place of what reads in the experiment. */
  readonly app?: string
  readonly appReplicas?: number
  readonly world: WorldName
  readonly seed?: number
}

/** `not run`: refused before there could be a verdict. */
const EXIT_CODES = { pass: 0, fail: 1, inconclusive: 2, 'not run': 3 } as const

export async function chaos(action: string, what: readonly string[], options: RunChoices): Promise<void> {
  try {
    await act(action, what, options)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    process.stderr.write(refusalText(error))
    process.exit(EXIT_CODES['not run'])
  }
}

async function act(action: string, what: readonly string[], options: RunChoices): Promise<void> {
  if (action === 'list' && what.length === 0) return list(options)
  if (action === 'run' && what.length === 1) return run(what[0]!, options)
  if (action === 'new' && what.length === 1) return begin(what[0]!)
  if (action === 'open' && what.length === 0) return open()
  if (action === 'schema' && what.length <= 1) return schema(what[0])
  const advice = 'use: chaos list, chaos run FILE, chaos new FILE, chaos open, or: chaos schema [FILE]'
  throw new Refusal('BAD_ARGUMENT', `chaos ${[action, ...what].join(' ')} means nothing`, advice)
}

/** A commented experiment to start from, which editors know the schema of. */
function begin(file: string): void {
  const path = resolve(file)
  if (existsSync(path)) throw new Refusal('BAD_ARGUMENT', `${file} is there already`, 'choose another name')
  const where = relative(dirname(path), SCHEMA).split(sep).join('/')
  const template = readFileSync(join(CATALOGUE, 'templates', 'new.yaml'), 'utf8')
  writeFileSync(path, `# yaml-language-server: $schema=${where}\n${template}`)
  print(`wrote ${file}\nrun it with: npx faultline chaos run ${file}`)
}

function schema(file: string | undefined): void {
  const text = `${JSON.stringify(experimentJsonSchema(), null, 2)}\n`
  if (file === undefined) return void process.stdout.write(text)
  writeFileSync(resolve(file), text)
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
  const all = catalogue()
  if (output === 'json') return printJson(all.map(({ name, theme, verdict, about }) => ({ name, theme, verdict, about })))
  const widest = Math.max(...all.map((e) => e.name.length))
  for (const { title, experiments } of byTheme(all)) {
    print(title)
    for (const { name, verdict, about } of experiments)
      print(clipped(`  ${name.padEnd(widest)}  ${verdict === 'fail' ? 'fails' : '     '}  ${firstSentence(about)}`))
    print('')
  }
  print('fails: on purpose, to show what a setting costs\n\nrun one with: npx faultline chaos run NAME')
}

/** To one line of the terminal. */
function clipped(line: string): string {
  const { columns } = process.stdout
  return columns === undefined || line.length <= columns ? line : `${line.slice(0, columns - 1)}…`
}

function experimentOf(name: string, { given }: Turn, { app, appReplicas }: RunChoices): Experiment {
  if (app === undefined && appReplicas !== undefined)
    throw new Refusal('BAD_ARGUMENT', '--app-replicas without --app', "say of what, as in: --app 'python my_consumer.py'")
  const experiment = load(name, given, app === undefined ? undefined : { command: app, replicas: appReplicas ?? 1 })
  for (const workload of experiment.workload) if (workload.kind === 'app') checkCommand(workload.command)
  return experiment
}

async function run(name: string, options: RunChoices): Promise<void> {
  // Whatever ends this before there is a verdict is no pass.
  process.exitCode = EXIT_CODES['not run']
  const all = turns(options.param, options.matrix, options.repeat)
  // Whatever is wrong with one of them is said before anything is started.
  const experiments = all.map((turn) => experimentOf(name, turn, options))
  if (all.length > 1) return series(all, experiments, options)
  const quiet = options.output === 'json'
  const played = await play(experiments[0]!, { ...options, quiet })
  const { experiment, verdict, folder } = played
  if (quiet) printJson({ experiment: experiment.name, expected: experiment.verdict, ...verdict, folder })
  else reportOf(played)
  process.exit(EXIT_CODES[verdict.outcome])
}

async function series(all: readonly Turn[], experiments: readonly Experiment[], options: RunChoices): Promise<void> {
  const quiet = options.output === 'json'
  const ended: Ended[] = []
  for (const [i, turn] of all.entries()) {
    if (!quiet) print(`${i > 0 ? '\n' : ''}RUN ${i + 1} of ${all.length}: ${turn.what}`)
    ended.push(await playTurn(turn, experiments[i]!, options))
  }
  const outcome = worst(ended.map((e) => e.outcome))
  const { name, verdict: expected } = experiments[0]!
  if (quiet) printJson({ experiment: name, expected, outcome, runs: ended.map(({ turn, ...rest }) => ({ ...turn, ...rest })) })
  else print(`\n${seriesTable(ended)}\n\nworst: ${outcome.toUpperCase()}`)
  process.exit(EXIT_CODES[outcome])
}

/** One that cannot be run does not end the series. */
async function playTurn(turn: Turn, experiment: Experiment, options: RunChoices): Promise<Ended> {
  const quiet = options.output === 'json'
  const began = Date.now()
  const seconds = () => (Date.now() - began) / 1000
  try {
    const played = await play(experiment, { ...options, quiet })
    if (!quiet) reportOf(played)
    const { outcome, reasons } = played.verdict
    return { turn, outcome, seconds: seconds(), reasons, folder: played.folder }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (!quiet) process.stderr.write(refusalText(error))
    return { turn, outcome: 'not run', seconds: seconds(), reasons: [`${error.code}: ${error.message}`], folder: undefined }
  }
}
