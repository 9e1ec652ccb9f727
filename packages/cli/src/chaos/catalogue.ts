// The catalogue of experiments, beside the bundles; and where an experiment comes from: a file of one's own, or a name of the catalogue.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { Refusal } from '@faultline/base'
import { type Experiment, type Given, readExperiment } from '@faultline/lab'

export const CATALOGUE = join(__dirname, '../chaos')
/** What an editor checks an experiment with; made with the bundles. */
export const SCHEMA = join(__dirname, 'experiment.schema.json')

export type Parameters = Readonly<Record<string, string>>

/** Themes in the order in which they are listed; others come behind. */
const THEMES: Readonly<Record<string, string>> = {
  brokers: 'Brokers that stop',
  controllers: 'The quorum of controllers',
  replication: 'Replicas: what an acknowledgement is worth',
  network: 'The network',
  disks: 'Disks',
  clocks: 'Clocks',
  requests: 'Requests and answers',
  transactions: 'Transactions',
  groups: 'Consumer groups',
  apps: 'Programs of your own',
}

export interface Theme {
  readonly title: string
  readonly experiments: readonly Experiment[]
}

export function catalogue(): Experiment[] {
  const files = existsSync(CATALOGUE) ? readdirSync(CATALOGUE).filter((f) => f.endsWith('.yaml')) : []
  const all = files.map((file) => readExperiment(join(CATALOGUE, file), readFileSync(join(CATALOGUE, file), 'utf8')))
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function byTheme(experiments: readonly Experiment[]): Theme[] {
  const known = Object.keys(THEMES)
  const themes = [...new Set([...known, ...experiments.map((e) => e.theme ?? 'others')])]
  return themes
    .map((theme) => ({
      title: THEMES[theme] ?? theme,
      experiments: experiments.filter((e) => (e.theme ?? 'others') === theme),
    }))
    .filter((t) => t.experiments.length > 0)
}

/** A file, or a name of the catalogue. */
export function load(name: string, given: Parameters, app?: Given['app']): Experiment {
  const own = join(CATALOGUE, `${basename(name, '.yaml')}.yaml`)
  const file = existsSync(resolve(name)) ? name : own
  if (!existsSync(file))
    throw new Refusal('BAD_ARGUMENT', `there is no file ${name}, and no experiment of that name`, 'see: npx faultline chaos list')
  const typed = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, valueOf(value)]))
  return readExperiment(file, readFileSync(file, 'utf8'), { parameters: typed, app })
}

function valueOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** Up to the first full stop, or to a colon in its place. */
export function firstSentence(text: string): string {
  const first = /^.*?[.:](?=\s|$)/s.exec(text.trim())?.[0] ?? text
  return first.replace(/\s+/g, ' ').replace(/:$/, '.')
}
