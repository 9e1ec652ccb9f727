// What clients did and saw, and nothing else: sends and reads, the transactions that they belong to, which partitions a consumer held, what was
// committed. Times are wall clock milliseconds of the machine that ran the workload.

/** `info`: nobody knows whether it took effect. */
export type Outcome = 'ok' | 'fail' | 'info'

/** What a broker has seen of a record that a program sent by itself. */
export interface Seen {
  /** Of key and value: what is there at the end with the same is the same. */
  readonly digest: string
  /** Which record of which batch: one that is sent again is sent in the same. */
  readonly place: string
  readonly acks: number
  /** It had a sequence number. */
  readonly idempotent: boolean
}

export interface Send {
  readonly op: 'send'
  readonly process: string
  readonly topic: string
  readonly partition: number
  /** In the order in which the process sent to this partition, from 0; with process and partition it is the record's identity. */
  readonly sequence: number
  /** The id of the one that it is part of. */
  readonly transaction: string | null
  readonly began: number
  ended: number | null
  /** Of a send in a transaction: whether it was appended, not whether that is committed. */
  outcome: Outcome
  /** Where the leader said that it is. */
  offset: number | null
  error: string | null
  /** Of a program's record: it has no identity, as only we write that. */
  readonly seen?: Seen
}

export interface Read {
  readonly op: 'read'
  readonly process: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Empty where it has none. */
  readonly key: string
  /** The record's identity: `identityOf` its send. */
  readonly value: string
  readonly at: number
  /** The number of the hold under which it was read. */
  readonly hold?: number
  /** The id of the one in which it was read. */
  readonly transaction?: string
  /** Of key and value: at the end of a run with a program. */
  readonly digest?: string
}

/** What a program's client was given to read: offsets from `from` to before `to`; or, where these are one, told of that offset. */
export interface GivenRecords {
  readonly op: 'given'
  readonly process: string
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly at: number
}

export interface Position {
  readonly topic: string
  readonly partition: number
  /** The next to be read. */
  readonly offset: number
}

export interface Transaction {
  readonly op: 'transaction'
  readonly id: string
  readonly process: string
  readonly began: number
  /** Positions that it commits, and for which group. */
  group: string | null
  positions: readonly Position[]
  /** When its commit was asked for first; null: that was never done. */
  committing: number | null
  ended: number | null
  /** `fail`: aborted for certain, be it that nobody asked for its commit. */
  outcome: Outcome
}

/** One consumer had one partition, without a break in between: after a seek it is another hold. */
export interface Hold {
  readonly op: 'hold'
  readonly number: number
  readonly process: string
  /** Null: nobody assigned it, the consumer took it. */
  readonly group: string | null
  readonly topic: string
  readonly partition: number
  /** The first offset that it was to read, where that is known. */
  readonly from: number | null
  readonly began: number
  ended: number | null
  /** Of the group, once that is known. */
  generation: number | null
}

/** Positions that a group's coordinator has acknowledged. */
export interface Commit {
  readonly op: 'commit'
  readonly process: string
  readonly group: string
  readonly generation: number | null
  readonly began: number
  readonly ended: number
  readonly positions: readonly Position[]
}

export function identityOf({ process, partition, sequence }: Pick<Send, 'process' | 'partition' | 'sequence'>): string {
  return `${process}/${partition}/${sequence}`
}

export function readIdentity(value: string): { process: string; partition: number; sequence: number } | undefined {
  const [process, partition, sequence, ...rest] = value.split('/')
  if (process === undefined || partition === undefined || sequence === undefined || rest.length > 0) return undefined
  return { process, partition: Number(partition), sequence: Number(sequence) }
}

export class History {
  readonly sends: Send[] = []
  /** By consumers while the run went on; those of one consumer in its order. */
  readonly reads: Read[] = []
  readonly transactions: Transaction[] = []
  readonly holds: Hold[] = []
  readonly commits: Commit[] = []
  readonly given: GivenRecords[] = []
  /** Everything that is there at the end, read from the beginning. */
  readonly final: Read[] = []

  begin(
    process: string,
    topic: string,
    partition: number,
    sequence: number,
    now: number,
    transaction?: Transaction,
    seen?: Seen,
  ): Send {
    const send: Send = {
      op: 'send',
      process,
      topic,
      partition,
      sequence,
      transaction: transaction?.id ?? null,
      began: now,
      ended: null,
      outcome: 'info',
      offset: null,
      error: null,
      ...(seen ? { seen } : {}),
    }
    this.sends.push(send)
    return send
  }

  beginTransaction(process: string, now: number): Transaction {
    const transaction: Transaction = {
      op: 'transaction',
      id: `${process}#${this.transactions.length}`,
      process,
      began: now,
      group: null,
      positions: [],
      committing: null,
      ended: null,
      outcome: 'info',
    }
    this.transactions.push(transaction)
    return transaction
  }

  hold(process: string, group: string | null, topic: string, partition: number, from: number | null, now: number): Hold {
    const number = this.holds.length
    const hold: Hold = { op: 'hold', number, process, group, topic, partition, from, began: now, ended: null, generation: null }
    this.holds.push(hold)
    return hold
  }

  get acknowledged(): Send[] {
    return this.sends.filter((s) => s.outcome === 'ok')
  }

  /** As history.jsonl has them. */
  *operations(): Generator<object> {
    yield* this.sends
    yield* this.transactions
    yield* this.holds
    yield* this.reads
    yield* this.commits
    yield* this.given
    yield* this.final
  }
}
