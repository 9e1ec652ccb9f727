// What an experiment is made of, as its file says it. Everything that can be wrong without a cluster is found here.
import { faultRequest } from '@faultline/director'
import { z } from 'zod'
import { duration } from './duration.ts'

const name = z.string().regex(/^[a-zA-Z0-9._-]{1,80}$/, 'letters, digits, ".", "_" and "-", at most 80')
const setting = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const settings = z.record(z.string(), setting).default({})

const cluster = z
  .strictObject({
    brokers: z.int().min(1).max(9).default(3).describe('how many brokers'),
    controllers: z
      .int()
      .min(1)
      .max(9)
      .default(3)
      .describe('how many controllers: an odd number survives the death of the smaller half'),
    fast: z.boolean().default(true).describe("shorter timeouts than Kafka's, as with `up --fast`; false has Kafka's own"),
    proxied: z.boolean().default(false).describe('every link goes through a proxy: faults of the family link need it'),
    settings: settings.describe("Kafka's broker configurations, like min.insync.replicas: 2"),
  })
  .prefault({})
  .describe('what is started for the run, and is gone after it')

const topic = z.strictObject({
  name: name.describe('what it is called: workloads and roles like leader:orders-0 speak of it'),
  partitions: z.int().min(1).max(100).default(3).describe('how many partitions'),
  replicas: z.int().min(1).max(9).default(3).describe('of each partition; at most as many as there are brokers'),
  config: settings.describe("Kafka's topic configurations, like cleanup.policy: compact"),
})

const rate = z.number().positive().max(10_000)
const topicName = name.describe('one of those under topics')

const producer = z.strictObject({
  kind: z.literal('producer').describe('writes records at a steady rate, each partition in order'),
  topic: topicName,
  rate: rate.default(400).describe('records a second, over all partitions'),
  acks: z
    .union([z.literal('all'), z.literal(1), z.literal(0)])
    .default('all')
    .describe('who has to have a record before it is acknowledged: all that are in sync, the leader (1), nobody (0)'),
  idempotent: z.boolean().default(true).describe('what is sent again is written once; false writes it again'),
})

const isolation = z
  .enum(['read_committed', 'read_uncommitted'])
  .default('read_committed')
  .describe('whether records of open and aborted transactions are read')
const members = z.int().min(1).max(20).default(1).describe('how many consumers share the partitions')

const group = z.strictObject({
  kind: z.literal('group').describe('a consumer group that reads a topic and commits as it goes'),
  topic: topicName,
  group: name.default('readers').describe("the group's id"),
  members,
  isolation,
})

const transform = z.strictObject({
  kind: z.literal('transform').describe('copies one topic to another in transactions, with the positions that it has read'),
  from: name.describe('the topic that is copied'),
  to: name.describe('the topic that it is copied to'),
  group: name.default('transform').describe('the id of the group that reads'),
  transactionalId: name.default('transform').describe("the transactional id is this, with the member's number"),
  members,
})

const mixed = z.strictObject({
  kind: z
    .literal('mixed')
    .describe('processes that draw what they do: send, poll, assign, subscribe, and some of these in transactions'),
  topic: topicName,
  processes: z.int().min(1).max(50).default(5).describe('how many draw'),
  rate: rate.default(100).describe('operations a second, over all processes'),
  isolation,
})

const bank = z.strictObject({
  kind: z.literal('bank').describe('transfers between accounts, each a transaction'),
  topic: topicName,
  accounts: z.int().min(2).max(1000).default(10).describe('how many accounts'),
  tellers: z.int().min(1).max(20).default(3).describe('how many make transfers at the same time'),
  rate: rate.default(50).describe('transfers a second, over all tellers'),
})

/** Copies of a program. */
export const MOST_REPLICAS = 20

const app = z.strictObject({
  kind: z.literal('app').describe('a program of your own'),
  command: z
    .string()
    .min(1)
    .describe('what starts it, in a shell, with BOOTSTRAP_SERVERS and APP_INSTANCE (1, 2 …) in its environment'),
  replicas: z
    .int()
    .min(1)
    .max(MOST_REPLICAS)
    .default(1)
    .describe('how many copies: app:1, app:2 …, which steps can kill, pause and restart'),
  env: settings.describe('more of its environment'),
})

export const workload = z.discriminatedUnion('kind', [producer, group, transform, mixed, bank, app])

const verb = (what: string) =>
  z
    .string()
    .min(1)
    .optional()
    .describe(`${what} a node: broker:2, a copy app:1, or a role like leader:orders-0, controller:active`)
const step = z
  .strictObject({
    at: duration.describe('so long after the steady state, like 0s or 1500ms'),
    fault: faultRequest.optional().describe('what is broken: all that `faultline fault add` can; see `faultline fault points`'),
    id: name.optional().describe('what heal calls this fault'),
    heal: z.string().optional().describe('the id of the step whose fault ends, or all'),
    kill: verb('ends without a warning (SIGKILL)'),
    terminate: verb('lets go with an orderly shutdown (SIGTERM)'),
    pause: verb('stops, so that it is there and says nothing (SIGSTOP)'),
    resume: verb('wakes up'),
    restart: verb('ends and starts again, or starts'),
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

const count = (what: string) => z.int().min(0).optional().describe(`at most so many ${what}`)

const expect = z.strictObject({
  // Anomalies: a checker of the same name looks for each.
  lost: count('acknowledged records that are not there at the end'),
  vanished: count('records that a consumer has read and that are not there at the end'),
  duplicated: count('records that are there more than once'),
  reordered: count('records that are behind ones that were sent after them'),
  contradictory: count('offsets that held one record first and another one later'),
  invented: count('records that nobody sent, or whose send had failed for certain'),
  nonmonotonicPoll: count('reads that went back although the consumer had kept its partition'),
  pollSkip: count('records that a consumer passed by although it had kept its partition'),
  nonmonotonicSend: count('later sends of a process that were acknowledged at smaller offsets'),
  unseen: count('records that are there and that no consumer has read'),
  abortedRead: count('records that were read although their transaction was aborted (G1a)'),
  dirtyRead: count('records that were read before their transaction was committed'),
  torn: count('transactions of which a part is there and a part is not'),
  tornOffsets: count('transactions whose output is there without their positions, or the reverse'),
  unbalanced: count('transfers of a bank that do not add up to nothing'),
  writeCycles: count('circles of transactions that overwrote each other (G0); Kafka allows them'),
  circularFlow: count('circles of transactions that read what the others wrote (G1c)'),
  twoOwners: count('partitions that two consumers of a group held at once'),
  fencedCommit: count('commits that were taken from members of a generation that was over'),
  commitBack: count('committed positions of groups that went back'),
  unreadCommit: count('positions that groups committed beyond everything that their members had been given'),
  highWatermarkBack: count('high watermarks that went back'),
  leaderEpochBack: count('leader epochs that went back'),
  twoLeaders: count('leader epochs, or terms of controllers, with two leaders'),
  disagreeing: count('partitions of which brokers know different things'),
  divergent: count('replicas whose logs differ'),
  unavailability: duration.optional().describe('the longest time in which a partition that was written to acknowledged nothing'),
  isrFull: duration.optional().describe('so long after the last heal every replica is in sync again'),
  ackP99: duration.optional().describe('99 % of all sends from the first step on are acknowledged in this time'),
  lag: count('records that groups have not committed at the end'),
  progress: duration
    .optional()
    .describe('no partition that a group reads stands still for longer while there is something to read'),
  readAgain: count("records that consumers of the load's groups were given once more"),
  rebalances: count('rebalances of groups, from the first step until the load ends'),
  exactlyOnce: z
    .strictObject({ from: name.describe('the topic that is copied'), to: name.describe('the topic with the copies') })
    .optional()
    .describe('each key of one topic is once in another, for read_committed readers'),
  atLeastOnce: z
    .strictObject({ from: name.describe('the topic that is processed'), to: name.describe('the topic with what comes of it') })
    .optional()
    .describe('each key of one topic is in another, however often, for read_committed readers'),
  finishes: duration
    .optional()
    .describe('programs of the load end by themselves with exit code 0, so long after the load has ended'),
})

export const experimentSchema = z.strictObject({
  name: name.describe("what it is called; its runs' folders begin with it"),
  about: z.string().min(1).describe('what it shows; the first sentence is what lists show'),
  theme: z.string().min(1).optional().describe('under which it is listed'),
  verdict: z
    .enum(['pass', 'fail'])
    .default('pass')
    .describe('what it should come to: some fail on purpose, and show what a setting costs'),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('what --param and --matrix can change, with what it is otherwise; used as ${name}'),
  cluster,
  topics: z.array(topic).min(1).describe('made before the load begins'),
  workload: z.array(workload).min(1).describe('who writes and reads meanwhile'),
  steady: duration.default(3000).describe('so long under load before the timeline begins'),
  timeline: z.array(step).min(1).describe('what is broken and healed, and when'),
  recover: duration.default(5000).describe('so long under load after the last step, when everything is healed'),
  expect: expect.describe('what must hold: each can fail the run, and one that was never put to the test makes it inconclusive'),
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
