// From the text of a file to an experiment; or a refusal that names each place by line and column, and what was probably meant.
import { dirname, resolve } from 'node:path'
import { Refusal } from '@faultline/base'
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { closest } from './closest.ts'
import { type Experiment, experimentSchema } from './schema.ts'

type Values = Readonly<Record<string, string | number | boolean>>

/** `given` take the place of the file's own parameters; `${folder}` is where the file is, for programs beside it. */
export function readExperiment(file: string, text: string, given: Values = {}): Experiment {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  // What follows the first place that is no YAML, mostly follows from it.
  const problems = document.errors.slice(0, 1).map((e) => `${at(e.pos[0])}: ${e.message}`)
  if (problems.length > 0) throw refused(problems)
  if (!isMap(document.contents)) throw refused([`${at(0)}: an experiment is a map with name, about, topics, workload …`])
  problems.push(
    ...fillIn(document, dirname(resolve(file)), given).map(({ node, what }) => `${at(node.range?.[0] ?? 0)}: ${what}`),
  )
  const result = experimentSchema.safeParse(document.toJS())
  if (!result.success)
    for (const issue of result.error.issues)
      problems.push(...tell(issue).map(({ path, what }) => `${at(offsetOf(document, path))}: ${what}`))
  if (problems.length > 0) throw refused(problems)
  return result.data!
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

interface Told {
  readonly path: readonly PropertyKey[]
  readonly what: string
}

function tell(issue: z.core.$ZodIssue): Told[] {
  const where = issue.path.filter((p) => typeof p === 'string').join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path)
    return issue.keys.map((key) => ({ path: [...issue.path, key], what: `"${key}" means nothing here${hint(key, known)}` }))
  }
  return [{ path: issue.path, what: where ? `${where}: ${issue.message}` : issue.message }]
}

/** The names that the schema has for a place; none where they depend on what else is there. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let at: unknown = experimentSchema
  for (const part of path) at = typeof part === 'number' ? unwrap(at)['element'] : shapeOf(at)?.[String(part)]
  return Object.keys(shapeOf(at) ?? {})
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

function hint(word: string, known: readonly string[]): string {
  const near = closest(word, known)
  if (near) return `; did you mean "${near}"?`
  return known.length > 0 ? `; there are ${known.join(', ')}` : ''
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
