// From the text of a file to an experiment; or a refusal that names each place by line and column, and what was probably meant.
import { dirname, resolve } from 'node:path'
import { Refusal } from '@faultline/base'
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml'
import { problemsIn } from './check.ts'
import { type Experiment, experimentSchema } from './schema.ts'
import { withApp } from './with-app.ts'
import { hint, type Told, wordsFor } from './words.ts'

type Values = Readonly<Record<string, string | number | boolean>>

export interface Given {
  /** In the place of the file's own parameters. */
  readonly parameters?: Values
  /** A program in the place of what reads. */
  readonly app?: { readonly command: string; readonly replicas: number } | undefined
}

/** `${folder}` is where the file is, for programs beside it. */
export function readExperiment(file: string, text: string, { parameters = {}, app }: Given = {}): Experiment {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const notYaml = brokenAt(document, text)
  if (notYaml) throw refused([`${at(notYaml.offset)}: ${notYaml.what}`])
  if (!isMap(document.contents)) throw refused([`${at(0)}: an experiment is a map with name, about, topics, workload …`])
  const unfilled = fillIn(document, dirname(resolve(file)), parameters).map(({ node, what }) => ({
    offset: node.range?.[0] ?? 0,
    what,
  }))
  const { data, problems } = experimentIn(document.toJS(), app)
  const all = [...unfilled, ...problems.map(({ path, what }) => ({ offset: offsetOf(document, path), what }))]
  if (all.length > 0) throw refused(all.sort((a, b) => a.offset - b.offset).map(({ offset, what }) => `${at(offset)}: ${what}`))
  return data!
}

/** The first place that is no YAML: what follows, mostly follows from it. */
function brokenAt(document: Document.Parsed, text: string): { offset: number; what: string } | undefined {
  const [error] = document.errors
  if (error) {
    const [offset] = error.pos
    const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset + 1)
    const isBare = /(^|[^"'\w])\$\{?$/.test(line)
    return {
      offset,
      what: isBare ? 'a parameter is written in quotes: "${name}"' : yamlWords(error.code, text.slice(offset), error.message),
    }
  }
  let found: { offset: number; what: string } | undefined
  visit(document, {
    Alias(_, node) {
      if (node.resolve(document) === undefined)
        found ??= {
          offset: node.range?.[0] ?? 0,
          what: `*${node.source} stands for what is marked with &${node.source}, and nothing is`,
        }
    },
  })
  return found
}

function yamlWords(code: string, from: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return `${/^[\w.-]*/.exec(from)?.[0]} is there already`
  return code === 'TAB_AS_INDENT' ? 'there is a tab: YAML is indented by spaces' : message
}

/** What parts say of each other is looked at when each is well by itself. */
function experimentIn(value: unknown, app: Given['app']): { data?: Experiment; problems: readonly Told[] } {
  const result = experimentSchema.safeParse(value)
  if (result.success) {
    const data = app === undefined ? result.data : withApp(result.data, app.command, app.replicas)
    return { data, problems: problemsIn(data) }
  }
  const { issues } = result.error
  const told = issues.flatMap((issue) => wordsFor(issue, valueAt(value, issue.path), knownKeys(value, issue.path)))
  const meant = new Set(told.flatMap(({ what }) => /did you mean "(.+)"\?$/.exec(what)?.[1] ?? []))
  // What is missing is there under another name.
  const isNamedOtherwise = ({ path, what }: Told) => what.includes(' is missing') && meant.has(String(path.at(-1)))
  return { problems: told.filter((t) => !isNamedOtherwise(t)) }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], value)
}

function refused(problems: readonly string[]): Refusal {
  return new Refusal(
    'BAD_EXPERIMENT',
    problems.join('\n'),
    'a commented one to look at or start from: npx faultline chaos new my.yaml',
  )
}

/** `${name}` becomes the parameter's value: of its own type where it stands alone. */
function fillIn(document: Document, folder: string, given: Values): { node: Node; what: string }[] {
  const own = (document.toJS() as { parameters?: Values }).parameters ?? {}
  const values: Values = { folder, ...own, ...given }
  const unknown = Object.keys(given).filter((name) => !(name in own))
  const problems = unknown.map((name) => ({
    node: document.contents as Node,
    what: `there is no parameter "${name}"${hint(name, Object.keys(own))}`,
  }))
  visit(document, {
    Scalar(_, node) {
      const { value } = node
      if (typeof value !== 'string' || !value.includes('${')) return
      const alone = /^\$\{([\w-]+)\}$/.exec(value)
      if (alone && alone[1]! in values) node.value = values[alone[1]!]
      else
        node.value = value.replace(/\$\{([\w-]+)\}/g, (all, name: string) => {
          if (name in values) return String(values[name])
          problems.push({ node, what: `there is no parameter "${name}"${hint(name, Object.keys(values))}` })
          return all
        })
    },
  })
  return problems
}

/** The names that the schema has for a place, for what is there. */
function knownKeys(value: unknown, path: readonly PropertyKey[]): string[] {
  let at: unknown = experimentSchema
  for (const [i, part] of path.entries()) {
    const inner = typeof part === 'number' ? unwrap(at)['element'] : shapeOf(at)?.[String(part)]
    at = ofKind(inner, valueAt(value, path.slice(0, i + 1)))
  }
  return Object.keys(shapeOf(at) ?? {})
}

/** Where there are several shapes, the one whose kind is named. */
function ofKind(schema: unknown, value: unknown): unknown {
  const { options } = unwrap(schema) as { options?: readonly unknown[] }
  const kind = (value as { kind?: unknown } | null | undefined)?.kind
  const isIt = (option: unknown) => (shapeOf(option)?.['kind'] as { value?: unknown } | undefined)?.value === kind
  return options?.find(isIt) ?? schema
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  return unwrap(schema)['shape'] as Record<string, unknown> | undefined
}

/** Without defaults around it. */
function unwrap(schema: unknown): Record<string, unknown> {
  let at = schema as Record<string, unknown> & { unwrap?: () => unknown }
  while (at && !at['shape'] && !at['element'] && at.unwrap) at = at.unwrap() as typeof at
  return at ?? {}
}

/** Of the innermost node on the path that is there; of the key where the path ends at one. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true) as Node | undefined
    const last = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === last)
      const node = (pair?.value ?? pair?.key) as Node | undefined
      if (pair) return (length === path.length ? node : (pair.key as Node))?.range?.[0] ?? 0
    }
    const node = document.getIn(path.slice(0, length), true) as Node | undefined
    if (node?.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}
