// A producer and its readers: what was written, acknowledged and read, as the judge of the failover experiment wants it.
import { type Fault, judge, type Verdict } from '../../packages/cli/src/failover/verdict.ts'
import { History, type Read } from '../../packages/cli/src/failover/history.ts'
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

/** Values count up over all partitions, so that in each of them they must rise. */
function keyOf(sequence: number): string {
  return `customer-${sequence % KEYS}`
}

/** A member of a group, which reads from the beginning. */
export class Reader implements AsyncDisposable {
  readonly program: Program
  readonly group: string
  readonly history = new History()
  readonly #next = new Map<number, number>()

  constructor(client: Client, programs: Programs, target: Target, group: string) {
    this.group = group
    this.program = new Program(`${client.name}'s consumer`, programs.consume(target, group), (line) =>
      this.#take(client.parse(line)),
    )
  }

  #take({ partition, offset, key, value }: ReturnType<Client['parse']>): void {
    const sequence = Number(value)
    if (key !== keyOf(sequence)) throw new Error(`record ${value} came back with the key ${key}`)
    this.history.read({ partition, offset, sequence, readMs: Date.now() })
    this.#next.set(partition, Math.max(this.next(partition), offset + 1))
  }

  /** One more than the highest offset read. */
  next(partition: number): number {
    return this.#next.get(partition) ?? 0
  }

  /** Which record is at which offset. */
  get found(): string[] {
    return this.history.reads.map((r) => `${r.partition} ${r.offset} ${r.sequence}`).sort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program[Symbol.asyncDispose]()
  }
}

export class Writer implements AsyncDisposable {
  readonly program: Program
  readonly #client: Client
  readonly #sentMs: number[] = []
  readonly #acknowledgements: Acknowledgement[] = []
  readonly #timer: NodeJS.Timeout

  constructor(client: Client, programs: Programs, target: Target) {
    this.#client = client
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
   * What the judge says of what one reader found. A client that tells nothing but its exit code has acknowledged everything with it,
   * and each record at the latest when `witness` read it.
   */
  judge(reader: Reader, witness: Reader, fault: Fault): Verdict {
    const { history } = reader
    for (const { partition, sequence, ackedMs } of this.#client.acknowledges
      ? this.#acknowledgements
      : this.#witnessed(witness)) {
      history.begin(partition, sequence, this.#sentMs[sequence]!).ackedMs = ackedMs
    }
    return judge(history, fault)
  }

  #witnessed(witness: Reader): Acknowledgement[] {
    const reads = new Map(witness.history.reads.map((read): [number, Read] => [read.sequence, read]))
    return this.#sentMs.map((_, sequence) => {
      const read = reads.get(sequence)
      return { sequence, partition: read?.partition ?? -1, ackedMs: read?.readMs ?? Date.now() }
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    return this.program[Symbol.asyncDispose]()
  }
}
