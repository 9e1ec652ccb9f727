// Whether a condition can ever be true: what it asks of each field, alone and together.
import { type Condition, ConditionError } from './condition.ts'
import { SUBJECTS } from './subjects.ts'

/** Throws ConditionError for what can never be. */
export function checkPossible(condition: Condition): void {
  for (const field of new Set(condition.map((c) => c.field))) {
    const asked = condition.filter((c) => c.field === field)
    const kind = SUBJECTS[asked[0]!.subject]!.fields[field]!
    const isPossible = 'min' in kind ? anyNumber(asked, kind.min) : kind.some((word) => asked.every((c) => allowsWord(c, word)))
    if (isPossible) continue
    const said = asked.map((c) => `${c.field} ${c.operator} ${c.value}`).join(' and ')
    const can = 'min' in kind ? `it is a whole number from ${kind.min} on` : `it is one of ${kind.join(', ')}`
    throw new ConditionError(asked[0]!.column, `${said} can never be true: ${can}`)
  }
}

function allowsWord({ operator, value }: Condition[number], word: string): boolean {
  return operator === '=' ? word === String(value) : operator === '!=' ? word !== String(value) : false
}

/** Bounds can only be left at one of their ends, or just beyond what is excluded. */
function anyNumber(asked: Condition, min: number): boolean {
  const near = asked.flatMap(({ value }) => [Math.floor(Number(value)), Math.ceil(Number(value))])
  const candidates = [min, ...near.flatMap((n) => [n - 1, n, n + 1])]
  const excluded = asked.filter((c) => c.operator === '!=').length
  const all = candidates.flatMap((n) => Array.from({ length: excluded + 1 }, (_, i) => n + i))
  return all.some((n) => n >= min && asked.every((c) => allowsNumber(c, n)))
}

function allowsNumber({ operator, value }: Condition[number], n: number): boolean {
  const wanted = Number(value)
  switch (operator) {
    case '=':
      return n === wanted
    case '!=':
      return n !== wanted
    case '<':
      return n < wanted
    case '<=':
      return n <= wanted
    case '>':
      return n > wanted
    case '>=':
      return n >= wanted
  }
}
