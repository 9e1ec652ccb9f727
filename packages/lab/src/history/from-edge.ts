// The history of a program that tells nothing itself, as brokers have seen it: what it sent, in which transactions, what it was given to read,
// what it committed, which partitions its members were told to hold. What nobody can know from there stays out.
import { crc32c } from '@faultline/protocol'
import { EdgeGroups } from './edge-groups.ts'
import { type EdgePartition, type EdgeRequest, endOf, sameIn, wasHeard } from './edge-request.ts'
import { EdgeTransactions } from './edge-transactions.ts'
import type { History, Send } from './history.ts'

/** `requests` in the order of time; `topics` are those that are read at the end: of what is sent to others nobody can say whether it is there. */
export function addFromEdge(history: History, requests: readonly EdgeRequest[], topics: ReadonlySet<string>): void {
  const edge = new EdgeHistory(history, topics)
  for (const request of requests) edge.add(request)
  edge.end()
}

class EdgeHistory {
  readonly #history: History
  readonly #topics: ReadonlySet<string>
  readonly #transactions: EdgeTransactions
  readonly #groups: EdgeGroups
  /** Batches with sequence numbers: what is sent again is the same. */
  readonly #numbered = new Map<string, readonly Send[]>()
  /** Of batches without. */
  readonly #next = new Map<string, number>()

  constructor(history: History, topics: ReadonlySet<string>) {
    this.#history = history
    this.#topics = topics
    this.#transactions = new EdgeTransactions(history)
    this.#groups = new EdgeGroups(history)
  }

  add(request: EdgeRequest): void {
    if (request.api === 'Produce') return this.#produce(request)
    if (request.api === 'Fetch') return this.#fetched(request)
    if (request.api === 'ListOffsets' || request.api === 'OffsetFetch') this.#told(request)
    this.#transactions.add(request)
    this.#groups.add(request)
  }

  end(): void {
    this.#transactions.end()
  }

  #produce(request: EdgeRequest): void {
    for (const written of request.request?.partitions ?? []) {
      if (!this.#topics.has(written.topic)) continue
      const sends = this.#sendsOf(request, written)
      const answer = sameIn(request.answer?.partitions, written)
      for (const [i, send] of sends.entries()) if (send.outcome !== 'ok') this.#settle(send, request, answer, i)
    }
  }

  #settle(send: Send, request: EdgeRequest, answer: EdgePartition | undefined, i: number): void {
    send.ended = endOf(request)
    if (!wasHeard(request) || answer === undefined) send.error = 'no answer'
    // Some errors come after it was written: none of them proves that it was not.
    else if (answer.error !== undefined) send.error = answer.error
    else Object.assign(send, { outcome: 'ok', offset: answer.offset! < 0 ? null : answer.offset! + i, error: null })
  }

  #sendsOf(request: EdgeRequest, written: EdgePartition): readonly Send[] {
    const { topic, partition, producer, epoch, sequence } = written
    const at = `${topic}-${partition}`
    if (producer === undefined || sequence === undefined) {
      const key = `${processOf(request)} ${at}`
      const first = this.#next.get(key) ?? 0
      this.#next.set(key, first + written.records!)
      return this.#begin(request, written, processOf(request), first)
    }
    const key = `${at} ${producer}.${epoch}/${sequence}`
    const before = this.#numbered.get(key)
    if (before) return before
    const sends = this.#begin(request, written, `${request.who} producer ${producer}.${epoch}`, sequence)
    this.#numbered.set(key, sends)
    return sends
  }

  #begin(
    request: EdgeRequest,
    { topic, partition, digests, producer, epoch, transactional }: EdgePartition,
    process: string,
    first: number,
  ): Send[] {
    const { transactionalId } = request.request!
    const isIn = transactional === true && typeof transactionalId === 'string'
    const transaction = isIn ? this.#transactions.openOf(request, transactionalId, producer!, epoch!) : undefined
    const batch = crc32c(Buffer.from((digests ?? []).join())).toString(36)
    return (digests ?? []).map((digest, i) => {
      const seen = { digest, place: `${batch}/${i}`, acks: request.request!.acks ?? -1, idempotent: producer !== undefined }
      return this.#history.begin(process, topic, partition, first + i, request.t, transaction, seen)
    })
  }

  #fetched(request: EdgeRequest): void {
    if (!wasHeard(request)) return
    for (const { topic, partition, from, to } of request.answer!.partitions ?? [])
      if (from !== undefined) this.#give(request, topic, partition, from, to!)
  }

  /** Where a partition ends, or was read to: a reader may go on from there. */
  #told(request: EdgeRequest): void {
    if (!wasHeard(request)) return
    for (const { topic, partition, offset } of request.answer!.partitions ?? [])
      if (offset !== undefined && offset >= 0) this.#give(request, topic, partition, offset, offset)
  }

  #give(request: EdgeRequest, topic: string, partition: number, from: number, to: number): void {
    this.#history.given.push({ op: 'given', process: processOf(request), topic, partition, from, to, at: endOf(request) })
  }
}

/** A program's client keeps its id when it connects anew. */
export function processOf({ who, client }: EdgeRequest): string {
  return client === null || client === '' ? who : `${who} ${client}`
}
