// A condition on cluster state, as a person writes it: subject(key).field = value, several joined by "and".

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>='

export interface Comparison {
  readonly subject: string
  readonly key: string
  readonly field: string
  readonly operator: Operator
  readonly value: string | number
  /** Where it stands in what was written, from 1. */
  readonly column: number
}

/** All of them hold. They are about one object, so that one process owns what they speak of. */
export type Condition = readonly Comparison[]

/** The condition cannot be understood; `column` counts from 1. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError'
  readonly column: number
  constructor(column: number, message: string) {
    super(`column ${column}: ${message}`)
    this.column = column
  }
}

export type Fields = Readonly<Record<string, unknown>>

export function holds(condition: Condition, fields: Fields): boolean {
  return condition.every((comparison) => compare(fields[comparison.field], comparison))
}

function compare(actual: unknown, { operator, value }: Comparison): boolean {
  if (actual === undefined) return false
  if (operator === '=') return String(actual) === String(value)
  if (operator === '!=') return String(actual) !== String(value)
  const difference = Number(actual) - Number(value)
  switch (operator) {
    case '<':
      return difference < 0
    case '<=':
      return difference <= 0
    case '>':
      return difference > 0
    case '>=':
      return difference >= 0
  }
}
