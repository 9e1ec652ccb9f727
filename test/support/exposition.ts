// Reads Prometheus' text format, and refuses what a Prometheus server would: for tests.

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Scrape {
  readonly samples: readonly Sample[]
  /** Of the one sample with these labels among its own; throws when there is none, or several. */
  value(name: string, labels?: Readonly<Record<string, string>>): number
  sum(name: string, labels?: Readonly<Record<string, string>>): number
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"'
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (NaN|[+-]Inf|-?[0-9][0-9.e+-]*)$`)
const HELP = new RegExp(`^# HELP (${NAME}) \\S.*$`)
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|summary)$`)

export function parseExposition(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const samples: Sample[] = []
  const helped = new Set<string>()
  const types = new Map<string, string>()
  const seen = new Set<string>()
  let family = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const help = HELP.exec(line)
    const type = TYPE.exec(line)
    if (help) {
      once(helped, help[1]!, line)
      family = help[1]!
    } else if (type) {
      if (types.has(type[1]!) || type[1] !== family) throw new Error(`a TYPE in a wrong place: ${line}`)
      types.set(family, type[2]!)
    } else {
      const sample = sampleOf(line)
      once(seen, line.slice(0, line.lastIndexOf(' ')), line)
      const ofSummary = types.get(family) === 'summary' ? [`${family}_sum`, `${family}_count`] : []
      if (![family, ...ofSummary].includes(sample.name) || !types.has(family)) throw new Error(`not in its family: ${line}`)
      samples.push(sample)
    }
  }
  const matching = (name: string, labels: Readonly<Record<string, string>>) =>
    samples.filter((s) => s.name === name && Object.entries(labels).every(([label, value]) => s.labels[label] === value))
  return {
    samples,
    sum: (name, labels = {}) => matching(name, labels).reduce((sum, s) => sum + s.value, 0),
    value(name, labels = {}) {
      const found = matching(name, labels)
      if (found.length !== 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`)
      return found[0]!.value
    },
  }
}

function once(seen: Set<string>, what: string, line: string): void {
  if (seen.has(what)) throw new Error(`twice: ${line}`)
  seen.add(what)
}

function sampleOf(line: string): Sample {
  const match = SAMPLE.exec(line)
  if (!match) throw new Error(`no line of the text format: ${line}`)
  const pairs = [...(match[2] ?? '').matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)]
  const labels = Object.fromEntries(
    pairs.map(([, label, value]) => [label!, value!.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c))]),
  )
  const text = match[3]!
  return { name: match[1]!, labels, value: text.endsWith('Inf') ? (text[0] === '-' ? -Infinity : Infinity) : Number(text) }
}
