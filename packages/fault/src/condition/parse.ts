// Reads a condition. Every mistake is told with its column, and what could stand there.
import { type Comparison, type Condition, ConditionError, type Operator } from './condition.ts'
import { SUBJECTS } from './subjects.ts'

const SPACE = /\s*/y
const WORD = /[A-Za-z][A-Za-z-]*/y
const OPERATOR = /<=|>=|!=|=|<|>/y
const AND = /and\b/y
const VALUE = /"([^"]*)"|'([^']*)'|[^\s()]+/y

/** Throws ConditionError. */
export function parseCondition(text: string): Condition {
  const scanner = new Scanner(text)
  const comparisons = [comparison(scanner)]
  while (!scanner.isAtEnd) {
    scanner.expect(AND, '"and" or the end')
    comparisons.push(comparison(scanner))
  }
  const [{ subject, key }] = comparisons as [Comparison]
  const other = comparisons.find((c) => c.subject !== subject || c.key !== key)
  if (other)
    throw new ConditionError(1, `${subject}(${key}) and ${other.subject}(${other.key}): no process sees both change in one step`)
  return comparisons
}

function comparison(scanner: Scanner): Comparison {
  const subjectAt = scanner.column
  const subject = scanner.expect(WORD, `one of ${Object.keys(SUBJECTS).join(', ')}`)
  const known = SUBJECTS[subject]
  if (!known) throw new ConditionError(subjectAt, `"${subject}" is none of ${Object.keys(SUBJECTS).join(', ')}`)
  const key = scanner.inBrackets(known.key)
  scanner.expect(/\./y, `"." and one of ${known.fields.join(', ')}`)
  const fieldAt = scanner.column
  const field = scanner.expect(WORD, `one of ${known.fields.join(', ')}`)
  if (!known.fields.includes(field))
    throw new ConditionError(fieldAt, `${subject} has no "${field}", but ${known.fields.join(', ')}`)
  const operator = scanner.expect(OPERATOR, 'one of = != < <= > >=') as Operator
  const valueAt = scanner.column
  const value = valueOf(scanner.expect(VALUE, 'a value'))
  if (operator.length + Number(operator === '<' || operator === '>') > 1 && operator !== '!=' && typeof value !== 'number')
    throw new ConditionError(valueAt, `"${value}" cannot be compared with ${operator}: it is no number`)
  return { subject, key, field, operator, value }
}

function valueOf(text: string): string | number {
  const bare = text.replace(/^["']|["']$/g, '')
  return bare === text && bare !== '' && Number.isFinite(Number(bare)) ? Number(bare) : bare
}

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.#skip()
  }

  get column(): number {
    return this.#at + 1
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  expect(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (!match) throw new ConditionError(this.column, `expected ${what}${this.#found()}`)
    this.#at = pattern.lastIndex
    this.#skip()
    return match[0]
  }

  /** A key may hold anything but a closing bracket. */
  inBrackets(what: string): string {
    this.expect(/\(/y, `"(" and a ${what}`)
    const end = this.#text.indexOf(')', this.#at)
    if (end < 0) throw new ConditionError(this.#text.length + 1, 'expected ")"')
    const key = this.#text.slice(this.#at, end).trim()
    if (key === '') throw new ConditionError(this.column, `expected a ${what}`)
    this.#at = end + 1
    this.#skip()
    return key
  }

  #found(): string {
    return this.isAtEnd ? ', found the end' : `, found "${this.#text.slice(this.#at, this.#at + 12)}"`
  }

  #skip(): void {
    SPACE.lastIndex = this.#at
    SPACE.exec(this.#text)
    this.#at = SPACE.lastIndex
  }
}
