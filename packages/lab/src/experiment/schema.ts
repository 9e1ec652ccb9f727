// What an experiment is made of, as its file says it. Everything that can be wrong without a cluster is found here.
import { faultRequest } from '@faultline/director'
import { z } from 'zod'
import { duration } from './duration.ts'

const name = z.string().regex(/^[a-zA-Z0-9._-]{1,80}$/, 'letters, digits, ".", "_" and "-", at most 80')
const setting = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const settings = z.record(z.string(), setting).default({})

const cluster = z
  .strictObject({
    brokers: z.int().min(1).max(9).default(3),
    controllers: z.int().min(1).max(9).default(3),
    /** The shorter timeouts of `up --fast`. */
    fast: z.boolean().default(true),
    /** Every link goes through a proxy: for link faults. */
    proxied: z.boolean().default(false),
    settings,
  })
  .prefault({})

const topic = z.strictObject({
  name,
  partitions: z.int().min(1).max(100).default(3),
  replicas: z.int().min(1).max(9).default(3),
  config: settings,
})

const rate = z.number().positive().max(10_000)

const producer = z.strictObject({
  kind: z.literal('producer'),
  topic: name,
  /** Records a second, over all partitions. */
  rate: rate.default(400),
  acks: z.union([z.literal('all'), z.literal(1), z.literal(0)]).default('all'),
  idempotent: z.boolean().default(true),
})

const isolation = z.enum(['read_committed', 'read_uncommitted']).default('read_committed')

const group = z.strictObject({
  kind: z.literal('group'),
  topic: name,
  group: name.default('readers'),
  members: z.int().min(1).max(20).default(1),
  isolation,
})

const transform = z.strictObject({
  kind: z.literal('transform'),
  from: name,
  to: name,
  group: name.default('transform'),
  /** The transactional id is this, with the member's number. */
  transactionalId: name.default('transform'),
  members: z.int().min(1).max(20).default(1),
})

/** Processes that draw what they do: send, poll, assign, subscribe, and some of these in transactions. */
const mixed = z.strictObject({
  kind: z.literal('mixed'),
  topic: name,
  processes: z.int().min(1).max(50).default(5),
  /** Operations a second, over all processes. */
  rate: rate.default(100),
  isolation,
})

/** Transfers between accounts, each a transaction. */
const bank = z.strictObject({
  kind: z.literal('bank'),
  topic: name,
  accounts: z.int().min(2).max(1000).default(10),
  tellers: z.int().min(1).max(20).default(3),
  /** Transfers a second, over all tellers. */
  rate: rate.default(50),
})

/** Copies of a program. */
export const MOST_REPLICAS = 20

/** A program of one's own, through the shell, with BOOTSTRAP_SERVERS and APP_INSTANCE (1, 2 …). */
const app = z.strictObject({
  kind: z.literal('app'),
  command: z.string().min(1),
  replicas: z.int().min(1).max(MOST_REPLICAS).default(1),
  env: settings,
})

export const workload = z.discriminatedUnion('kind', [producer, group, transform, mixed, bank, app])

const verb = z.string().min(1)
const step = z
  .strictObject({
    /** After the steady state. */
    at: duration,
    /** As in `faultline fault add`; healed by its id, by its ttl, or at the end. */
    fault: faultRequest.optional(),
    id: name.optional(),
    /** A fault's id, or "all". */
    heal: z.string().optional(),
    kill: verb.optional(),
    terminate: verb.optional(),
    pause: verb.optional(),
    resume: verb.optional(),
    restart: verb.optional(),
  })
  .superRefine((value, context) => {
    const done = DEEDS.filter((deed) => value[deed] !== undefined)
    if (done.length === 1) return
    const message =
      done.length === 0 ? `a step does one of ${DEEDS.join(', ')}` : `one step does one thing, not ${done.join(' and ')}`
    context.addIssue({ code: 'custom', message })
  })

/** Kinds of workload that write what nobody has to write for them. */
export const PRODUCING: readonly string[] = ['producer', 'mixed', 'bank']

export const DEEDS = ['fault', 'heal', 'kill', 'terminate', 'pause', 'resume', 'restart'] as const

const count = z.int().min(0)

const expect = z.strictObject({
  // Anomalies: at most so many. A checker of the same name looks for each.
  lost: count.optional(),
  vanished: count.optional(),
  duplicated: count.optional(),
  reordered: count.optional(),
  contradictory: count.optional(),
  invented: count.optional(),
  nonmonotonicPoll: count.optional(),
  pollSkip: count.optional(),
  nonmonotonicSend: count.optional(),
  unseen: count.optional(),
  abortedRead: count.optional(),
  dirtyRead: count.optional(),
  torn: count.optional(),
  tornOffsets: count.optional(),
  unbalanced: count.optional(),
  writeCycles: count.optional(),
  circularFlow: count.optional(),
  twoOwners: count.optional(),
  fencedCommit: count.optional(),
  commitBack: count.optional(),
  unreadCommit: count.optional(),
  highWatermarkBack: count.optional(),
  leaderEpochBack: count.optional(),
  twoLeaders: count.optional(),
  disagreeing: count.optional(),
  divergent: count.optional(),
  /** The longest time in which a partition that was written to acknowledged nothing. */
  unavailability: duration.optional(),
  /** From the last heal on. */
  isrFull: duration.optional(),
  ackP99: duration.optional(),
  /** Of all groups' members together, at the end. */
  lag: count.optional(),
  /** No partition that a group reads stands still for longer while there is something to read. */
  progress: duration.optional(),
  /** Each key of `from` once in `to`, for read_committed readers. */
  exactlyOnce: z.strictObject({ from: name, to: name }).optional(),
  /** Each key of `from` in `to`, however often. */
  atLeastOnce: z.strictObject({ from: name, to: name }).optional(),
  /** Programs of the load end by themselves with exit code 0, so long after the load has ended. */
  finishes: duration.optional(),
})

export const experimentSchema = z
  .strictObject({
    name,
    about: z.string().min(1),
    /** Under which it is listed. */
    theme: z.string().min(1).optional(),
    /** What it should come to: some fail on purpose, and show what a setting costs. */
    verdict: z.enum(['pass', 'fail']).default('pass'),
    parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
    cluster,
    topics: z.array(topic).min(1),
    workload: z.array(workload).min(1),
    /** Under load before the timeline begins. */
    steady: duration.default(3000),
    timeline: z.array(step).min(1),
    /** Under load after the last step, when everything is healed. */
    recover: duration.default(5000),
    expect,
  })
  .superRefine((experiment, context) => {
    const topics = new Set(experiment.topics.map((t) => t.name))
    const used: [string, (string | number)[]][] = experiment.workload.flatMap((w, i) =>
      w.kind === 'app'
        ? []
        : w.kind === 'transform'
          ? [
              [w.from, ['workload', i, 'from']],
              [w.to, ['workload', i, 'to']],
            ]
          : [[w.topic, ['workload', i, 'topic']]],
    )
    for (const [topicName, path] of used)
      if (!topics.has(topicName))
        context.addIssue({
          code: 'custom',
          path,
          message: `there is no topic "${topicName}" under topics: ${[...topics].join(', ')}`,
        })
    experiment.topics.forEach(({ replicas }, i) => {
      if (replicas > experiment.cluster.brokers)
        context.addIssue({
          code: 'custom',
          path: ['topics', i, 'replicas'],
          message: `${replicas} replicas need as many brokers, there are ${experiment.cluster.brokers}`,
        })
    })
    const ids = new Set(experiment.timeline.flatMap((s) => s.id ?? []))
    experiment.timeline.forEach(({ heal }, i) => {
      if (heal !== undefined && heal !== 'all' && !ids.has(heal))
        context.addIssue({ code: 'custom', path: ['timeline', i, 'heal'], message: `no step has the id "${heal}"` })
    })
    if (!experiment.workload.some((w) => PRODUCING.includes(w.kind)))
      context.addIssue({
        code: 'custom',
        path: ['workload'],
        message: `nobody produces: add a workload of the kind ${PRODUCING.join(', ')}`,
      })
    if (Object.values(experiment.expect).every((e) => e === undefined))
      context.addIssue({ code: 'custom', path: ['expect'], message: 'nothing is expected, so nothing can fail' })
  })

/** Whether a program of somebody's own is part of the load: brokers then note what clients ask. */
export function hasProgram({ workload }: Experiment): boolean {
  return workload.some((w) => w.kind === 'app')
}

export type Experiment = z.infer<typeof experimentSchema>
export type ExperimentTopic = Experiment['topics'][number]
export type Workload = z.infer<typeof workload>
export type Step = Experiment['timeline'][number]
export type Expectations = Experiment['expect']
