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

const where = z
  .strictObject({
    apis: z.array(z.string()).min(1).optional().describe('of these requests, by their names in Kafka, like [Produce, Fetch]'),
    topic: z.string().optional().describe('about this topic'),
    partition: z.number().int().min(0).optional().describe('about this partition of the topic'),
    group: z.string().optional().describe('about this group'),
    transactionalId: z.string().optional().describe('about this transactional id'),
    clientId: z.string().optional().describe('of this client, as it calls itself'),
    file: z.string().optional().describe('of a disk: files of this kind, like log or raft'),
    point: z.string().optional().describe('a point in the code, like produce.appended: see `faultline fault points`'),
  })
  .describe('which occasions are hit; all of them when left out')

export const faultRequest = z.strictObject({
  family: z.enum(FAMILIES).describe('what is broken: a process, a link, requests and answers, a disk, a clock, or by load'),
  kind: z.string().min(1).describe('how: see `faultline fault points`'),
  node: z
    .string()
    .optional()
    .describe(
      'broker:2, or a role that is looked up when the fault begins, like leader:orders-0; all that it concerns when left out',
    ),
  from: z.string().optional().describe('of a link: whose sending is broken; clients are all that come from outside'),
  to: z.string().optional().describe('of a link: to whom'),
  plane: z.enum(LINK_PLANES).optional().describe('of a link: which of its connections; all when left out'),
  where: where.default({}),
  when: condition.optional().describe('only while this is true of the cluster, like isr(orders-0).size = 1'),
  nth: z.number().int().min(1).optional().describe('only the nth occasion'),
  every: z.number().int().min(1).optional().describe('every nth occasion'),
  probability: z.number().gt(0).max(1).optional().describe('by lot, from 0 to 1'),
  seed: z.number().int().optional().describe('of the lot'),
  after: z
    .strictObject({
      fault: z.string().describe('the id of the other fault'),
      hits: z.number().int().min(1).default(1).describe('how often it has to have hit'),
    })
    .optional()
    .describe('only when another fault has hit'),
  count: z.number().int().min(1).optional().describe('at most so many hits'),
  ttl: duration.optional().describe('ends by itself after so long'),
  in: duration.optional().describe('begins so long from now'),
  observe: z.boolean().default(false).describe('only counts what it would hit'),
  with: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('parameters of the kind, like { ms: 200 }'),
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
