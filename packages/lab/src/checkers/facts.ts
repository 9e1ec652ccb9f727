// What checkers look at: what a run has left, and the indexes into it that more than one of them needs, each made once.
import type { ClusterEvent, FaultView } from '@faultline/director'
import type { Experiment } from '../experiment/schema.ts'
import { type History, identityOf, type Read, type Send, type Transaction } from '../history/history.ts'
import { Policy } from '../policy/policy.ts'
import type { BrokerView } from '../run/cluster-watch.ts'
import type { GroupSample } from '../run/group-watch.ts'
import type { ReplicaLog } from '../run/replica-logs.ts'
import type { Where } from './checker.ts'

export interface Left {
  readonly experiment: Experiment
  readonly history: History
  readonly events: readonly ClusterEvent[]
  readonly faults: readonly FaultView[]
  /** What groups had committed, as it was looked at during the run. */
  readonly groups: readonly GroupSample[]
  /** What brokers said of the experiment's partitions, as they were asked during the run; the last of each when all was over. */
  readonly views: readonly BrokerView[]
  /** What each replica has at the end. */
  readonly replicas: readonly ReplicaLog[]
}

export class Facts {
  readonly left: Left
  readonly history: History
  readonly policy: Policy
  #sendOf: ReadonlyMap<Read, Send> | undefined
  #there: ReadonlySet<Send> | undefined
  #transactions: ReadonlyMap<string, Transaction> | undefined
  #finalOf: ReadonlyMap<string, readonly Read[]> | undefined
  #sendsOf: ReadonlyMap<string, readonly Send[]> | undefined

  constructor(left: Left) {
    this.left = left
    this.history = left.history
    this.policy = new Policy(left)
  }

  /** What it is that was read; undefined when nobody has sent it. */
  sendOf(read: Read): Send | undefined {
    return (this.#sendOf ??= this.#matched()).get(read)
  }

  /** Where it was read, and when it was sent: what is read at the end had its story before. */
  whenSent(read: Read): Where {
    const send = this.sendOf(read)
    return { ...read, at: send === undefined ? read.at : (send.ended ?? send.began) }
  }

  /** Whether what was sent is there at the end. */
  isThere(send: Send): boolean {
    this.#there ??= new Set(this.history.final.flatMap((read) => this.sendOf(read) ?? []))
    return this.#there.has(send)
  }

  /** The one that it was sent in. */
  transactionOf(send: Send | undefined): Transaction | undefined {
    const id = send?.transaction ?? null
    this.#transactions ??= new Map(this.history.transactions.map((t) => [t.id, t]))
    return id === null ? undefined : this.#transactions.get(id)
  }

  /** What is there at the end of each partition, "t-0", in the order of offsets. */
  get finalOf(): ReadonlyMap<string, readonly Read[]> {
    return (this.#finalOf ??= groupBy(this.history.final, ({ topic, partition }) => `${topic}-${partition}`))
  }

  /** Of a transaction: those that were appended for certain. */
  get sendsOf(): ReadonlyMap<string, readonly Send[]> {
    const inTransactions = () => this.history.sends.filter((s) => s.transaction !== null && s.outcome === 'ok')
    return (this.#sendsOf ??= groupBy(inTransactions(), (s) => s.transaction!))
  }

  /** By their names once, as names are long and histories are, too. */
  #matched(): Map<Read, Send> {
    const own = this.history.sends.filter((s) => s.seen === undefined)
    const sends = new Map(own.map((s) => [`${s.topic} ${identityOf(s)}`, s]))
    const matched = new Map<Read, Send>()
    for (const reads of [this.history.reads, this.history.final])
      for (const read of reads) {
        const send = sends.get(`${read.topic} ${read.value}`)
        if (send) matched.set(read, send)
      }
    matchSeen(this.history, matched)
    return matched
  }
}

/** Records of programs: by where they are and what they hold; and where nobody heard where that is, by what they hold. */
function matchSeen({ sends, final }: History, matched: Map<Read, Send>): void {
  const seen = sends.filter((s) => s.seen !== undefined)
  if (seen.length === 0) return
  const holding = ({ topic, partition }: Read | Send, digest: string) => `${topic}-${partition} ${digest}`
  const placed = new Map(seen.flatMap((s) => (s.offset === null ? [] : [[`${s.topic}-${s.partition}@${s.offset}`, s]])))
  const open = groupBy(
    seen.filter((s) => s.offset === null),
    (s) => holding(s, s.seen!.digest),
  )
  for (const read of final) {
    const { topic, partition, offset, digest } = read
    if (digest === undefined || matched.has(read)) continue
    const there = placed.get(`${topic}-${partition}@${offset}`)
    const send = there?.seen?.digest === digest ? there : open.get(holding(read, digest))?.shift()
    if (send) matched.set(read, send)
  }
}

export function groupBy<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  }
  return groups
}
