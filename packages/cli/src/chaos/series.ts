// A series of runs: each combination of the values of a matrix, each so many times.
import { Refusal } from '@faultline/base'
import type { VerdictOutcome } from '@faultline/lab'
import type { Parameters } from './catalogue.ts'

export type Matrix = Readonly<Record<string, readonly string[]>>

export interface Turn {
  readonly given: Parameters
  /** "brokers=5, second time"; empty where there is only one. */
  readonly what: string
}

/** "brokers=3,5" */
export function axis(value: string, before: Matrix = {}): Matrix {
  const [, name, values] = /^([^=]+)=(.+)$/.exec(value) ?? []
  if (name === undefined || values!.split(',').some((v) => v === ''))
    throw new Refusal('BAD_ARGUMENT', `--matrix ${value} has no values`, 'write it like: --matrix brokers=3,5')
  return { ...before, [name]: values!.split(',') }
}

export function turns(given: Parameters, matrix: Matrix, repeat: number): Turn[] {
  if (!(repeat >= 1)) throw new Refusal('BAD_ARGUMENT', `--repeat ${repeat} is no number of runs`, 'use a whole number from 1')
  const twice = Object.keys(matrix).find((name) => name in given)
  if (twice !== undefined)
    throw new Refusal('BAD_ARGUMENT', `${twice} is given by --param and by --matrix`, 'leave one of them out')
  const combinations = Object.entries(matrix).reduce<Parameters[]>(
    (all, [name, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  )
  return combinations.flatMap((chosen) =>
    Array.from({ length: repeat }, (_, i) => {
      const words = Object.entries(chosen).map((e) => e.join('='))
      if (repeat > 1) words.push(`${i + 1} of ${repeat}`)
      return { given: { ...given, ...chosen }, what: words.join(', ') }
    }),
  )
}

/** What became of a turn: a verdict, or none when it could not be run. */
export type Outcome = VerdictOutcome | 'not run'

/** From good to bad: whatever is broken for certain weighs most. */
const ORDER: readonly Outcome[] = ['pass', 'inconclusive', 'not run', 'fail']

export function worst(outcomes: readonly Outcome[]): Outcome {
  return ORDER[Math.max(...outcomes.map((o) => ORDER.indexOf(o)))]!
}
