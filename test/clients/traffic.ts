// A producer and its readers: what was written, acknowledged and read, as the checkers of experiments want it.
import { CHECKERS, Facts, History, identityOf, type Read, readExperiment } from '@faultline/lab'
import type { Client, Programs, Target } from './clients.ts'
import { Program } from './program.ts'

/** Some five hundred records a second. */
const TICK_MS = 10
const RECORDS_PER_TICK = 5
const KEYS = 24

interface Acknowledgement {
  readonly partition: number
  readonly sequence: number
  readonly ackedMs: number
}

/** What the checkers found, and how much was acknowledged. */
export interface Judged {
  readonly anomalies: Readonly<Record<string, number>>
  readonly acknowledged: number
  readonly acknowledgedBefore: number
  readonly acknowledgedAfter: number
}

/** All records have one writer, whose numbers count up. */
const WRITER = 'writer'

/** What readers that are programs of their own can show. */
export const OF_RECORDS = CHECKERS.filter(({ anomaly }) =>
  ['lost', 'duplicated', 'reordered', 'contradictory', 'invented'].includes(anomaly),
)

/** As much of one as checkers ask: an idempotent producer that waits for all in-sync replicas. */
function experimentOn(topic: string) {
  return readExperiment(
    topic,
    `name: real-client
about: A real client writes and reads while the leader dies.
topics: [{ name: ${topic} }]
workload: [{ kind: producer, topic: ${topic} }]
timeline: [{ at: 0s, kill: "leader:${topic}-0" }]
expect: { lost: 0 }`,
  )
}

/** Values count up over all partitions, so that in each of them they must rise. */
function keyOf(sequence: number): string {
  return `customer-${sequence % KEYS}`
}

/** A member of a group, which reads from the beginning. */
export class Reader implements AsyncDisposable {
  readonly program: Program
  readonly group: string
  readonly reads: Read[] = []
  readonly #topic: string
  readonly #next = new Map<number, number>()

  constructor(client: Client, programs: Programs, target: Target, group: string) {
    this.group = group
    this.#topic = target.topic
    this.program = new Program(`${client.name}'s consumer`, programs.consume(target, group), (line) =>
      this.#take(client.parse(line)),
    )
  }

  #take({ partition, offset, key, value }: ReturnType<Client['parse']>): void {
    const sequence = Number(value)
    if (key !== keyOf(sequence)) throw new Error(`record ${value} came back with the key ${key}`)
    const identity = identityOf({ process: WRITER, partition, sequence })
    const what = { topic: this.#topic, partition, offset, key: identity, value: identity }
    this.reads.push({ op: 'read', process: this.group, ...what, at: Date.now() })
    this.#next.set(partition, Math.max(this.next(partition), offset + 1))
  }

  /** One more than the highest offset read. */
  next(partition: number): number {
    return this.#next.get(partition) ?? 0
  }

  /** Consumers may read a record again after a rebalance: what counts is what is where. */
  get log(): Read[] {
    return [...new Map(this.reads.map((r) => [`${r.partition} ${r.offset}`, r])).values()].sort((a, b) => a.offset - b.offset)
  }

  /** Which record is at which offset. */
  get found(): string[] {
    return this.log.map((r) => `${r.partition} ${r.offset} ${r.value}`).sort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program[Symbol.asyncDispose]()
  }
}

export class Writer implements AsyncDisposable {
  readonly program: Program
  readonly #client: Client
  readonly #topic: string
  readonly #sentMs: number[] = []
  readonly #acknowledgements: Acknowledgement[] = []
  readonly #timer: NodeJS.Timeout

  constructor(client: Client, programs: Programs, target: Target) {
    this.#client = client
    this.#topic = target.topic
    this.program = new Program(`${client.name}'s producer`, programs.produce(target), (line) => this.#take(line))
    this.#timer = setInterval(() => this.#write(), TICK_MS)
  }

  #write(): void {
    for (let i = 0; i < RECORDS_PER_TICK && this.program.takesMore; i++) {
      const sequence = this.#sentMs.push(Date.now()) - 1
      this.program.write(`${keyOf(sequence)}\t${sequence}`)
    }
  }

  #take(line: string): void {
    if (!this.#client.acknowledges) return
    const { partition, value } = JSON.parse(line) as { partition: number; value: string }
    this.#acknowledgements.push({ partition, sequence: Number(value), ackedMs: Date.now() })
  }

  get written(): number {
    return this.#sentMs.length
  }

  acknowledged(partition: number): number {
    return this.#acknowledgements.filter((a) => a.partition === partition).length
  }

  /** Writes no more, and waits until everything has been answered. */
  finish(): Promise<number | string> {
    clearInterval(this.#timer)
    return this.program.finish()
  }

  /**
   * What the checkers say of what one reader found. A client that tells nothing but its exit code has acknowledged everything with it,
   * and each record at the latest when `witness` read it.
   */
  judge(reader: Reader, witness: Reader, { killedMs, electedMs }: { killedMs: number; electedMs: number }): Judged {
    const history = new History()
    const acknowledgements = this.#client.acknowledges ? this.#acknowledgements : this.#witnessed(witness)
    for (const { partition, sequence, ackedMs } of acknowledgements) {
      const send = history.begin(WRITER, this.#topic, partition, sequence, this.#sentMs[sequence]!)
      Object.assign(send, { outcome: 'ok', ended: ackedMs })
    }
    history.reads.push(...reader.reads)
    history.final.push(...reader.log)
    const { acknowledged } = history
    const facts = new Facts({
      experiment: experimentOn(this.#topic),
      history,
      events: [],
      faults: [],
      groups: [],
      views: [],
      replicas: [],
    })
    return {
      anomalies: Object.fromEntries(OF_RECORDS.map(({ anomaly, check }) => [anomaly, check(facts).count])),
      acknowledged: acknowledged.length,
      acknowledgedBefore: acknowledged.filter((s) => s.ended! < killedMs).length,
      acknowledgedAfter: acknowledged.filter((s) => s.began > electedMs).length,
    }
  }

  #witnessed(witness: Reader): Acknowledgement[] {
    const reads = new Map(witness.reads.map((read): [string, Read] => [read.value.split('/').at(-1)!, read]))
    return this.#sentMs.map((_, sequence) => {
      const read = reads.get(String(sequence))
      return { sequence, partition: read?.partition ?? -1, ackedMs: read?.at ?? Date.now() }
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    return this.program[Symbol.asyncDispose]()
  }
}
