// Histories as tests write them: short words for what clients did and saw, and for what the cluster said of itself. "a1" is the second record that
// process a sent to the partition that is spoken of, which is t-0 when nothing else is said.
import type { ClusterEvent, FaultView } from '@faultline/director'
import { type BrokerView, Facts, type GroupSample, History, type Outcome, readExperiment, type ReplicaLog } from '../src/index.ts'

type Experiment = ReturnType<typeof readExperiment>

interface SendWords {
  readonly on?: string
  readonly outcome?: Outcome
  /** Acknowledged at these, one after the other. */
  readonly from?: number
  readonly in?: string
}

interface TransactionWords {
  readonly outcome?: Outcome
  readonly committing?: number | null
  readonly group?: string
  /** "t-0:5 t-1:3" */
  readonly positions?: string
}

interface HoldWords {
  readonly group?: string | null
  readonly on?: string
  readonly from?: number
  readonly began?: number
  readonly ended?: number | null
  readonly generation?: number
}

export function experimentOf(more = '', topic = ''): Experiment {
  return readExperiment(
    'e.yaml',
    `name: e
about: an example
topics: [{ name: t, partitions: 3${topic} }]
timeline: [{ at: 0s, kill: "broker:1" }]
expect: { lost: 0 }
${more || 'workload: [{ kind: producer, topic: t }]'}`,
  )
}

export class Story {
  readonly history = new History()
  readonly views: BrokerView[] = []
  readonly groups: GroupSample[] = []
  readonly replicas: ReplicaLog[] = []
  readonly events: ClusterEvent[] = []
  readonly faults: FaultView[] = []
  readonly #experiment: Experiment

  constructor(experiment: Experiment = experimentOf()) {
    this.#experiment = experiment
  }

  get facts(): Facts {
    const { history, views, groups, replicas, events, faults } = this
    return new Facts({ experiment: this.#experiment, history, views, groups, replicas, events, faults })
  }

  send(words: string, { on = 't-0', outcome = 'ok', from, in: id }: SendWords = {}): this {
    const { topic, partition } = placeOf(on)
    const transaction = this.history.transactions.find((t) => t.id === id)
    for (const [i, { process, sequence }] of recordsIn(words).entries()) {
      const send = this.history.begin(process, topic, partition, sequence, 1, transaction)
      Object.assign(send, { outcome, ended: 2, offset: from === undefined ? null : from + i })
    }
    return this
  }

  /** Its id is the process, #, and how many there were before. */
  transaction(process: string, { outcome = 'ok', committing = 5, group, positions = '' }: TransactionWords = {}): this {
    const all = positions.split(' ').filter(Boolean)
    const made = this.history.beginTransaction(process, 1)
    Object.assign(made, { outcome, committing, ended: 6, group: group ?? null, positions: all.map(positionOf) })
    return this
  }

  /** What is there at the end, from offset 0 on; "-" is an offset without a record. */
  there(words: string, on = 't-0', keys: readonly string[] = []): this {
    const { topic, partition } = placeOf(on)
    for (const [offset, word] of words.split(' ').filter(Boolean).entries())
      if (word !== '-') {
        const read = { op: 'read', process: 'final', topic, partition, offset, key: keys[offset] ?? '', at: 9 } as const
        this.history.final.push({ ...read, value: valueOf(word, partition) })
      }
    return this
  }

  hold(process: string, { group = null, on = 't-0', from, began = 1, ended = null, generation }: HoldWords = {}): this {
    const { topic, partition } = placeOf(on)
    const hold = this.history.hold(process, group, topic, partition, from ?? null, began)
    Object.assign(hold, { ended, generation: generation ?? null })
    return this
  }

  /** "a0@0 a1@1"; under the process's last hold of the partition, if it has one. */
  read(
    process: string,
    words: string,
    { on = 't-0', at = 7, in: transaction }: { on?: string; at?: number; in?: string } = {},
  ): this {
    const { topic, partition } = placeOf(on)
    const hold = this.history.holds.findLast((h) => h.process === process && h.partition === partition)?.number
    for (const word of words.split(' ').filter(Boolean)) {
      const [value, offset] = word.split('@')
      const read = { op: 'read', process, topic, partition, offset: Number(offset), key: '', at } as const
      this.history.reads.push({
        ...read,
        value: valueOf(value!, partition),
        ...(hold === undefined ? {} : { hold }),
        ...(transaction === undefined ? {} : { transaction }),
      })
    }
    return this
  }

  commit(process: string, generation: number, began: number, position = 't-0:1'): this {
    const positions = [positionOf(position)]
    this.history.commits.push({ op: 'commit', process, group: 'g', generation, began, ended: began + 1, positions })
    return this
  }

  /** A program's client was given t-0 from one offset to before another. */
  given(from: number, to: number, at: number): this {
    this.history.given.push({ op: 'given', process: 'app:1 client', topic: 't', partition: 0, from, to, at })
    return this
  }

  /** A program sent a record that holds what is named so; the next one of it to t-0. */
  appSend(digest: string, outcome: Outcome, offset: number | null = null, idempotent = false): this {
    const sequence = this.history.sends.filter((s) => s.seen).length
    const send = this.history.begin('app:1 client', 't', 0, sequence, 1, undefined, {
      digest,
      place: digest,
      acks: -1,
      idempotent,
    })
    Object.assign(send, { outcome, ended: 2, offset })
    return this
  }

  /** At the end t-0 has records of a program, that hold what is named so; "-" is an offset without one. */
  appThere(digests: string): this {
    for (const [offset, digest] of digests.split(' ').entries())
      if (digest !== '-')
        this.history.final.push({
          op: 'read',
          process: 'final',
          topic: 't',
          partition: 0,
          offset,
          key: '',
          value: 'same',
          at: 9,
          digest,
        })
    return this
  }

  /** What group g has committed of t-0, look by look. */
  committed(...positions: readonly number[]): this {
    for (const committed of positions) {
      const at = this.groups.length
      const of = [{ partition: 't-0', committed, end: 100 }]
      this.groups.push({ at, group: 'g', state: 'Stable', members: 1, positions: of })
    }
    return this
  }

  /** A broker says who leads t-0, in which epoch; and where it ends, if it is the one. */
  says(
    broker: number,
    leader: number | null,
    leaderEpoch: number,
    highWatermark: number | null = null,
    isr: number[] = [],
  ): this {
    const at = this.views.length
    const about = {
      at,
      broker: `broker:${broker}`,
      topic: 't',
      partition: 0,
      leader: leader === null ? null : `broker:${leader}`,
    }
    this.views.push({ ...about, leaderEpoch, isr, highWatermark })
    return this
  }

  /** A replica of t-0 with batches of one record: "5.0 6.0 7.1" are their checksums and leader epochs. */
  replica(broker: number, batches: string, from = 0, to?: number): this {
    const seen = batches.split(' ').filter(Boolean)
    const all = seen.map((word, i) => {
      const [crc, leaderEpoch] = word.split('.').map(Number)
      return { baseOffset: from + i, lastOffset: from + i, crc: crc!, leaderEpoch: leaderEpoch! }
    })
    const about = { broker: `broker:${broker}`, topic: 't', partition: 0 }
    this.replicas.push({ ...about, from, to: to ?? from + seen.length, batches: all })
    return this
  }

  event(event: string, node: string, fields: object = {}): this {
    const t = this.events.length
    this.events.push({ seq: t, t, mono: t, node, event, ...fields } as ClusterEvent)
    return this
  }

  /** Of t-0. */
  election(node: string, epoch: number): this {
    return this.event('leader.begin', node, { topic: 't', partition: 0, epoch, isr: [1, 2, 3] })
  }

  /** Of t-0. */
  isr(isr: readonly number[], more: object = {}): this {
    return this.event('partition.change', 'controller:101', { topic: 't', partition: 0, isr, replicas: [1, 2, 3], ...more })
  }
}

export function story(experiment?: Experiment): Story {
  return new Story(experiment)
}

function placeOf(on: string): { topic: string; partition: number } {
  const dash = on.lastIndexOf('-')
  return { topic: on.slice(0, dash), partition: Number(on.slice(dash + 1)) }
}

function positionOf(word: string): { topic: string; partition: number; offset: number } {
  const [on, offset] = word.split(':')
  return { ...placeOf(on!), offset: Number(offset) }
}

function recordsIn(words: string): { process: string; sequence: number }[] {
  return words
    .split(' ')
    .filter(Boolean)
    .map((word) => ({ process: word[0]!, sequence: Number(word.slice(1)) }))
}

function valueOf(word: string, partition: number): string {
  return `${word[0]}/${partition}/${word.slice(1)}`
}
