// The errors in a message, wherever in it they are: found by the names that all of Kafka's messages share.
import type { FieldSpec, Fields } from './fields.ts'

type Row = Readonly<Record<string, unknown>>

/** `rows`: the message, and the elements of its lists down to where the error is. They are only there during the call. */
export type OnError = (code: number, rows: readonly Row[]) => void

/** Visits all errors but NONE. */
export type ErrorScan = (message: Row, found: OnError) => void

const CODES: ReadonlySet<string> = new Set(['errorCode', 'partitionErrorCode'])

export function errorScan(fields: Fields): ErrorScan {
  const scan = scanOf(fields)
  return scan ? (message, found) => scan(message, found, []) : () => {}
}

type Scan = (row: Row, found: OnError, rows: Row[]) => void

/** Undefined where there is nothing to find. */
function scanOf(fields: Fields): Scan | undefined {
  const codes = Object.keys(fields).filter((name) => CODES.has(name))
  const lists = Object.entries(fields).flatMap(([name, { spec }]) => {
    const element = elementOf(spec)
    const scan = element && scanOf(element)
    return scan ? [{ name, scan }] : []
  })
  if (codes.length === 0 && lists.length === 0) return undefined
  return (row, found, rows) => {
    rows.push(row)
    for (const name of codes) if (row[name]) found(row[name] as number, rows)
    for (const { name, scan } of lists) for (const element of (row[name] ?? []) as readonly Row[]) scan(element, found, rows)
    rows.pop()
  }
}

function elementOf(spec: FieldSpec): Fields | undefined {
  return spec.type === 'array' && typeof spec.element !== 'string' ? (spec.element as Fields) : undefined
}
