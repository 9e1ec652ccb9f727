// What the schema has against a value, in words: what is wrong, and what was probably meant.
import type { z } from 'zod'
import { closest } from './closest.ts'

type Issue = z.core.$ZodIssue

/** At a place in a file, which is a path of keys and positions. */
export interface Told {
  readonly path: readonly PropertyKey[]
  readonly what: string
}

const KINDS: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list, each with a "-"',
  object: 'a map, like { name: value }',
  record: 'a map, like { name: value }',
}

/** `value`: what is there; `known`: keys that would mean something where a key means nothing. */
export function wordsFor(issue: Issue, value: unknown, known: readonly string[]): Told[] {
  const { path } = issue
  const last = path.at(-1)
  const name = typeof last === 'number' ? String(path.findLast((p) => typeof p === 'string')) : String(last ?? 'an experiment')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], what: `"${key}" means nothing here${hint(key, known)}` }))
  if (issue.code === 'custom') return [{ path, what: path.length > 0 ? `${name}: ${issue.message}` : issue.message }]
  const wanted = wantedBy(issue)
  if (value === undefined)
    return [{ path, what: `${name} is missing${wanted && wanted !== KINDS['string'] ? `: ${wanted}` : ''}` }]
  if (value === null) return [{ path, what: `${name} is empty${wanted ? `: it is ${wanted}` : ''}` }]
  const choices = choicesOf(issue)
  if (choices) return [{ path, what: `${name}: ${shown(value)} is none of ${choices.join(', ')}${meant(value, choices)}` }]
  if (wanted === undefined) return [{ path, what: `${name}: ${issue.message}` }]
  return [{ path, what: typeof value === 'object' ? `${name} has to be ${wanted}` : `${name}: ${shown(value)} is not ${wanted}` }]
}

function wantedBy(issue: Issue): string | undefined {
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? issue.expected
  if (issue.code === 'too_small' && issue.origin === 'array') return 'a list with something in it'
  if (issue.code === 'too_small' && issue.origin === 'string') return 'text, and not empty'
  if (issue.code === 'too_small') return issue.inclusive ? `${issue.minimum} or more` : `more than ${issue.minimum}`
  if (issue.code === 'too_big') return `${issue.maximum} or less`
  if (issue.code === 'invalid_format') return issue.message
  if (issue.code === 'invalid_union' && issue.discriminator === undefined && choicesOf(issue) === undefined) {
    const all = issue.errors.flat().flatMap((e) => (e.code === 'invalid_type' ? (KINDS[e.expected] ?? []) : []))
    const kinds = [...new Set(all)].join(', or ')
    return kinds === `${KINDS['number']}, or ${KINDS['string']}` ? 'a time, like 500ms, 30s, 2m' : kinds || undefined
  }
  return choicesOf(issue)?.join(', or ')
}

function choicesOf(issue: Issue): string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  if (issue.code !== 'invalid_union') return undefined
  const { options } = issue as { options?: readonly unknown[] }
  if (options) return options.map(String)
  const all = issue.errors.flat().map((e) => (e.code === 'invalid_value' ? e.values.map(String) : undefined))
  return all.length > 0 && all.every((a) => a !== undefined) ? all.flatMap((a) => a!) : undefined
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : typeof value === 'object' ? 'this' : String(value)
}

function meant(value: unknown, choices: readonly string[]): string {
  const near = typeof value === 'string' ? closest(value, choices) : undefined
  return near === undefined ? '' : `; did you mean "${near}"?`
}

export function hint(word: string, known: readonly string[]): string {
  const near = closest(word, known)
  if (near !== undefined) return `; did you mean "${near}"?`
  return known.length > 0 ? `; there are ${known.join(', ')}` : ''
}
