// Times as a person writes them in an experiment: "500ms", "30s", "2m", or milliseconds as a number.
import { z } from 'zod'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }
const LONGEST_MS = 3_600_000

export const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(String(value)) ?? []
  const ms = number === undefined ? Number.NaN : Number(number) * UNITS[unit]!
  if (ms >= 0 && ms <= LONGEST_MS) return ms
  context.addIssue({ code: 'custom', message: `"${value}" is no time from 0 to 60m: write it like 500ms, 30s, 2m` })
  return z.NEVER
})
