// Reads a condition. Every mistake is told with its column, and what could stand there.
import { type Comparison, type Condition, ConditionError, type Operator } from './condition.ts'
import { checkPossible } from './possible.ts'
import { type FieldKind, type Subject, SUBJECTS } from './subjects.ts'

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
    throw new ConditionError(
      other.column,
      `${subject}(${key}) and ${other.subject}(${other.key}): no process sees both change in one step`,
    )
  checkPossible(comparisons)
  return comparisons
}

function comparison(scanner: Scanner): Comparison {
  const column = scanner.column
  const subject = scanner.expect(WORD, `one of ${Object.keys(SUBJECTS).join(', ')}`)
  const known = SUBJECTS[subject]
  if (!known) throw new ConditionError(column, `"${subject}" is none of ${Object.keys(SUBJECTS).join(', ')}`)
  const keyAt = scanner.column + 1
  const key = scanner.inBrackets(known.key)
  if (known.keyPattern && !known.keyPattern.test(key)) throw new ConditionError(keyAt, `${known.key} is expected, not "${key}"`)
  const field = fieldOf(scanner, subject, known)
  const operator = scanner.expect(OPERATOR, 'one of = != < <= > >=') as Operator
  const valueAt = scanner.column
  const value = valueOf(scanner.expect(VALUE, 'a value'))
  checkValue(known.fields[field]!, operator, value, valueAt)
  return { subject, key, field, operator, value, column }
}

function fieldOf(scanner: Scanner, subject: string, { fields, unowned }: Subject): string {
  const names = Object.keys(fields).join(', ')
  scanner.expect(/\./y, `"." and one of ${names}`)
  const at = scanner.column
  const field = scanner.expect(WORD, `one of ${names}`)
  const why = unowned?.[field]
  if (why !== undefined) throw new ConditionError(at, why)
  if (!(field in fields)) throw new ConditionError(at, `${subject} has no "${field}", but ${names}`)
  return field
}

function checkValue(kind: FieldKind, operator: Operator, value: string | number, at: number): void {
  const isNumber = 'min' in kind
  const wantsNumber = isNumber || (operator !== '=' && operator !== '!=')
  if (wantsNumber && typeof value !== 'number')
    throw new ConditionError(at, `"${value}" cannot be compared with ${operator}: it is no number`)
  if (!isNumber && !kind.includes(String(value))) throw new ConditionError(at, `"${value}" is none of ${kind.join(', ')}`)
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
