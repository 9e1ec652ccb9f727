// A fault as a person asks for it, from the command line, over HTTP or in a test: checked here, once, with a clear word about what is wrong.
import { ConditionError, parseCondition } from '@faultline/fault'
import { durationMs, Refusal } from '@faultline/base'
import { z } from 'zod'
import { LINK_PLANES } from '../links/link.ts'

const FAMILIES = ['process', 'link', 'protocol', 'storage', 'clock', 'load'] as const
export type Family = (typeof FAMILIES)[number]

/** A year is no time to live. */
const MAX_MS = 24 * 3600 * 1000

/** "500ms", "30s", "2m", "1h", or ms as a number. */
const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = durationMs(value, ['ms', 's', 'm', 'h'])
  if (ms > 0 && ms <= MAX_MS) return ms
  context.addIssue({ code: 'custom', message: `${value} is no time from 1ms to 24h: write it like 500ms, 30s, 2m` })
  return z.NEVER
})

const condition = z.string().superRefine((text, context) => {
  try {
    parseCondition(text)
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
  }
})

const where = z.strictObject({
  apis: z.array(z.string()).min(1).optional(),
  topic: z.string().optional(),
  partition: z.number().int().min(0).optional(),
  group: z.string().optional(),
  transactionalId: z.string().optional(),
  clientId: z.string().optional(),
  file: z.string().optional(),
  point: z.string().optional(),
})

export const faultRequest = z.strictObject({
  family: z.enum(FAMILIES),
  kind: z.string().min(1),
  /** "broker:2", or a role that is looked up when the fault begins; all that it concerns when left out. */
  node: z.string().optional(),
  /** Of a link: whose sending is broken, and to whom; "clients" are all that come from outside. */
  from: z.string().optional(),
  to: z.string().optional(),
  plane: z.enum(LINK_PLANES).optional(),
  where: where.default({}),
  when: condition.optional(),
  nth: z.number().int().min(1).optional(),
  every: z.number().int().min(1).optional(),
  probability: z.number().gt(0).max(1).optional(),
  seed: z.number().int().optional(),
  after: z.strictObject({ fault: z.string(), hits: z.number().int().min(1).default(1) }).optional(),
  count: z.number().int().min(1).optional(),
  ttl: duration.optional(),
  /** Begins so long from now. */
  in: duration.optional(),
  observe: z.boolean().default(false),
  with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
})

export type FaultRequest = z.infer<typeof faultRequest>
export type FaultRequestInput = z.input<typeof faultRequest>

export function parseFaultRequest(input: unknown): FaultRequest {
  const result = faultRequest.safeParse(input)
  if (!result.success) {
    const what = result.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
    throw bad(what.join('; '))
  }
  const { nth, every, probability } = result.data
  if (result.data.family !== 'link' && (result.data.from ?? result.data.to ?? result.data.plane))
    throw bad('from, to and plane are of links', 'use --node, or the family link')
  if ([nth, every, probability].filter((t) => t !== undefined).length > 1)
    throw bad('nth, every and probability contradict each other: one of them says which occasions are hit')
  if (nth !== undefined && (result.data.count ?? 1) > 1)
    throw bad('nth and count contradict each other: nth is one occasion', 'use --every, or --after with another fault')
  if (result.data.seed !== undefined && probability === undefined)
    throw bad('a seed belongs to a probability', 'use --probability 0.1 --seed 7')
  return result.data
}

/** It acts from the first occasion on, on each. */
export function isUnconditional({ when, nth, every, probability, after, count }: FaultRequest): boolean {
  return (when ?? nth ?? every ?? probability ?? after ?? count) === undefined
}

export function bad(what: string, advice = 'see what there is with: npx faultline fault points'): Refusal {
  return new Refusal('BAD_FAULT', what, advice)
}
