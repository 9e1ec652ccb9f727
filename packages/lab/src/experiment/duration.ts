// Times as a person writes them in an experiment: "500ms", "30s", "2m", or milliseconds as a number.
import { durationMs } from '@faultline/base'
import { z } from 'zod'

const LONGEST_MS = 3_600_000

export const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = durationMs(value, ['ms', 's', 'm'])
  if (ms >= 0 && ms <= LONGEST_MS) return ms
  context.addIssue({ code: 'custom', message: `"${value}" is no time from 0 to 60m: write it like 500ms, 30s, 2m` })
  return z.NEVER
})
