// Consume, transform, produce: a processor reads `in`, writes `out` and commits its positions, all in transactions, while brokers crash at
// chosen moments of a transaction's end and the processor itself is replaced. Judged: whoever reads `out` with isolation.level=
// read_committed finds each record of `in` exactly once, and every replica holds the same.
import {
  Abandoned,
  askCoordinator,
  type ClusterClient,
  Producer,
  readCommitted,
  TransactionalProducer,
  TransactionRefused,
} from '@faultline/client'
import { partitionOf } from '@faultline/coordinator'
import { Errors, offsetFetch, type ResponseOf } from '@faultline/protocol'
import { QUICK_FAILURES, World } from './world.ts'

const INPUT = 'in'
const OUTPUT = 'out'
const PARTITIONS = 2
const RECORDS = 40
const BATCH = 4
const GROUP = 'processor'
const TRANSACTIONAL_ID = 'processor-1'
const OFFSET_FETCH_VERSION = 8
const LIMIT_MS = 180_000

const SETTINGS = {
  ...QUICK_FAILURES,
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
}

/** Who crashes, and on which event of the transaction's coordinator. */
const MOMENTS = [
  { victim: 'coordinator', state: 'PrepareCommit' },
  { victim: 'coordinator', state: 'CompleteCommit' },
  { victim: 'coordinator', state: 'Ongoing' },
  { victim: 'group', state: 'PrepareCommit' },
  { victim: 'leader', state: 'PrepareCommit' },
  { victim: 'leader', state: 'Ongoing' },
] as const

export interface ExactlyOnceResult {
  readonly digest: string
  readonly crashes: number
  readonly restarts: number
  readonly aborts: number
  readonly virtualMs: number
  readonly problems: readonly string[]
}

/** Throws when the cluster does not come back, or the processor does not come to the end. */
export async function runExactlyOnce(seed: number): Promise<ExactlyOnceResult> {
  const world = new World({ seed, brokers: 3, controllers: 3, settings: SETTINGS })
  await world.start()
  const run = new Run(world, seed % 2 === 0 ? 1 : 2)
  const chaos = new Chaos(world, run)
  await world.runUntil('the end of the input', () => chaos.step() && run.isDone && chaos.isOver, LIMIT_MS)
  await world.runUntil('full ISRs', () => isrsAreFull(world), 60_000)
  const problems = run.judge()
  const { crashes } = chaos
  return { digest: world.digest(), crashes, restarts: run.restarts, aborts: run.aborts, virtualMs: world.scheduler.now, problems }
}

/** The processor, one incarnation after the other, and the reader that judges its output. */
class Run {
  restarts = 0
  aborts = 0
  readonly #world: World
  readonly #version: 1 | 2
  readonly #found: string[] = []
  #incarnation = 0
  #finished = false
  /** Partitions of the output that are still being read. */
  #reading = PARTITIONS

  constructor(world: World, version: 1 | 2) {
    this.#world = world
    this.#version = version
    void this.#run()
  }

  get isDone(): boolean {
    return this.#reading === 0
  }

  /** The processor's machine is gone, its requests are still on their way; another one begins. */
  replace(): void {
    if (this.#finished) return
    this.restarts++
    this.#incarnation++
    void this.#process(this.#incarnation)
  }

  judge(): string[] {
    const times = new Map<string, number>()
    for (const value of this.#found) times.set(value, (times.get(value) ?? 0) + 1)
    const expected = inputs().flat()
    return [
      ...expected.filter((v) => !times.has(v)).map((v) => `${v} is missing from ${OUTPUT}`),
      ...[...times].filter(([, n]) => n > 1).map(([v, n]) => `${v} is ${n} times in ${OUTPUT}`),
    ]
  }

  async #run(): Promise<void> {
    const client = this.#world.client('input')
    for (const topic of [INPUT, OUTPUT]) await client.createTopic(topic, PARTITIONS, 3, { 'min.insync.replicas': '2' })
    const producer = new Producer(client)
    await producer.start()
    void this.#process(this.#incarnation)
    for (let partition = 0; partition < PARTITIONS; partition++) void this.#readOutput(partition)
    const send = async (values: readonly string[], partition: number) => {
      for (const value of values) {
        await producer.send(INPUT, partition, [Buffer.from(value)])
        await client.pause(10)
      }
    }
    await Promise.all(inputs().map(send))
  }

  async #process(incarnation: number): Promise<void> {
    const client = this.#world.client(`processor-${incarnation}`)
    const abandoned = () => this.#incarnation !== incarnation
    const producer = new TransactionalProducer({
      client,
      transactionalId: TRANSACTIONAL_ID,
      timeoutMs: 10_000,
      version: this.#version,
      abandoned,
    })
    while (!this.#finished && !abandoned()) {
      try {
        await producer.start()
        while (!abandoned() && !(await this.#round(client, producer, abandoned)));
      } catch (error) {
        if (!(error instanceof TransactionRefused) && !(error instanceof Abandoned)) throw error
        await client.pause(20)
      }
    }
  }

  /** One transaction. True when all of the input is processed. */
  async #round(client: ClusterClient, producer: TransactionalProducer, abandoned: () => boolean): Promise<boolean> {
    const positions = await committedOffsets(client, abandoned)
    const next = new Map<number, number>()
    const values: string[] = []
    for (const [partition, offset] of positions) {
      const { records } = await readCommitted(client, INPUT, partition, offset, abandoned)
      const taken = records.slice(0, BATCH)
      values.push(...taken.map((r) => Buffer.from(r.value).toString()))
      if (taken.length > 0) next.set(partition, taken.at(-1)!.offset + 1)
    }
    if (values.length === 0) return this.#isAtEnd(client, positions)
    for (const value of values) await producer.send(OUTPUT, value.length % PARTITIONS, [Buffer.from(value)])
    const commits = this.#world.random.next() >= 0.15
    if (!commits) this.aborts++
    await producer.commitOffsets(GROUP, INPUT, next)
    await producer.end(commits)
    return false
  }

  async #isAtEnd(client: ClusterClient, positions: ReadonlyMap<number, number>): Promise<boolean> {
    const all = [...positions.values()].reduce((sum, offset) => sum + offset, 0)
    if (all < RECORDS) {
      await client.pause(20)
      return false
    }
    this.#finished = true
    return true
  }

  /** All the while, as a consumer would; to the end of what is there, which the last transaction's markers reach in the end. */
  async #readOutput(partition: number): Promise<void> {
    const client = this.#world.client(`reader-${partition}`)
    for (let offset = 0; ;) {
      const { records, nextOffset } = await readCommitted(client, OUTPUT, partition, offset, () => false)
      this.#found.push(...records.map((r) => Buffer.from(r.value).toString()))
      const leader = this.#world.image!.topicsByName.get(OUTPUT)!.partitions[partition]!.leader
      const log = this.#world.broker(leader)?.replicas.byName(OUTPUT, partition)?.log
      const isAtEnd = log !== undefined && nextOffset === offset && offset === log.logEndOffset
      if (isAtEnd && this.#finished) break
      if (nextOffset === offset) await client.pause(5)
      offset = nextOffset
    }
    this.#reading--
  }
}

/** Kills who coordinates or leads when the transaction comes to the chosen state, and brings it back. */
class Chaos {
  crashes = 0
  readonly #world: World
  readonly #run: Run
  readonly #plan: { readonly victim: string; readonly state: string; readonly nth: number; readonly afterMs: number }[]
  #seen = 0
  #count = 0
  #due: { readonly at: number; readonly act: () => void }[] = []

  constructor(world: World, run: Run) {
    this.#world = world
    this.#run = run
    const { random } = world
    this.#plan = Array.from({ length: 3 }, (_, i) => ({
      ...MOMENTS[random.below(MOMENTS.length)]!,
      nth: 1 + random.below(3) + i,
      // In the step itself, or while markers are on their way.
      afterMs: random.next() < 0.3 ? 0 : random.next() * 12,
    }))
  }

  get isOver(): boolean {
    return this.#due.length === 0
  }

  /** After each event of the world. Always true. */
  step(): boolean {
    const { events, scheduler } = this.#world
    for (; this.#seen < events.length; this.#seen++) {
      const { event, fields } = events[this.#seen]!
      if (event === 'transaction.state' && fields['state'] === this.#plan[0]?.state) this.#moment()
    }
    const due = this.#due.filter((d) => d.at <= scheduler.now)
    this.#due = this.#due.filter((d) => d.at > scheduler.now)
    for (const { act } of due) act()
    return true
  }

  #moment(): void {
    if (++this.#count < this.#plan[0]!.nth) return
    this.#count = 0
    const { victim, afterMs } = this.#plan.shift()!
    this.#after(afterMs, () => this.#crash(victim))
    if (this.#world.random.next() < 0.5) this.#after(this.#world.random.next() * 50, () => this.#run.replace())
  }

  #crash(victim: string): void {
    const id = this.#find(victim)
    if (id < 0 || !this.#world.runs(id)) return
    this.crashes++
    this.#world.crash(id)
    this.#after(2000 + this.#world.random.next() * 3000, () => this.#world.startBroker(id))
  }

  #find(victim: string): number {
    const leader = (topic: string, partition: number) =>
      this.#world.image?.topicsByName.get(topic)?.partitions[partition]?.leader ?? -1
    switch (victim) {
      case 'coordinator':
        return leader('__transaction_state', partitionOf(TRANSACTIONAL_ID, 3))
      case 'group':
        return leader('__consumer_offsets', partitionOf(GROUP, 3))
      default:
        return leader(OUTPUT, 0)
    }
  }

  #after(ms: number, act: () => void): void {
    this.#due.push({ at: this.#world.scheduler.now + ms, act })
  }
}

/** By partition. Values differ in length, so that they spread over the output's partitions. */
function inputs(): string[][] {
  return Array.from({ length: PARTITIONS }, (_, partition) =>
    Array.from({ length: RECORDS / PARTITIONS }, (_2, i) => `${partition}/${i}${'x'.repeat(i % 2)}`),
  )
}

/** Where the group is to go on, once no transaction can change it any more (KIP-447). */
async function committedOffsets(client: ClusterClient, abandoned: () => boolean): Promise<Map<number, number>> {
  const partitionIndexes = Array.from({ length: PARTITIONS }, (_, i) => i)
  const request = { groups: [{ groupId: GROUP, topics: [{ name: INPUT, partitionIndexes }] }], requireStable: true }
  const group = (r: ResponseOf<typeof offsetFetch>) => r.groups[0]!
  const errorOf = (r: ResponseOf<typeof offsetFetch>) =>
    group(r).errorCode || (group(r).topics[0]?.partitions.find((p) => p.errorCode !== Errors.NONE)?.errorCode ?? 0)
  const asking = { client, api: offsetFetch, version: OFFSET_FETCH_VERSION, request, errorOf, abandoned }
  const response = await askCoordinator('group', GROUP, asking)
  if (errorOf(response) !== Errors.NONE) throw new Error(`OffsetFetch: error ${errorOf(response)}`)
  return new Map(group(response).topics[0]!.partitions.map((p) => [p.partitionIndex, Math.max(0, p.committedOffset)]))
}

function isrsAreFull(world: World): boolean {
  const topics = world.image ? [...world.image.topicsByName.values()] : []
  return topics.length > 0 && topics.every((t) => t.partitions.every((p) => p.isr.length === p.replicas.length))
}
