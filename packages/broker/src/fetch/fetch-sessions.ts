// Fetch sessions (KIP-227): a consumer names its partitions once, then only what changed; the reply carries only what changed.
import type { Clock, Random } from '@faultline/base'
import { Errors, type fetch, type RequestOf } from '@faultline/protocol'
import type { FetchedPartition, FetchPartition } from './fetch-partition.ts'

type Request = RequestOf<typeof fetch>

const FULL_EPOCH = 0
const FINAL_EPOCH = -1
const NO_SESSION = 0
const MAX_EPOCH = 0x7fffffff

/** Idle this long, a session may be replaced by a new one. */
const EVICTION_MS = 120_000

interface Cached {
  wanted: FetchPartition
  highWatermark: number
  logStartOffset: number
}

/** What a request asks for, and how its reply is to be written. */
export interface FetchPlan {
  readonly error: number
  readonly sessionId: number
  readonly partitions: readonly FetchPartition[]
  /** Which of the results the reply names. */
  select(results: readonly FetchedPartition[]): readonly FetchedPartition[]
}

class FetchSession {
  readonly id: number
  readonly usesIds: boolean
  epoch = 1
  lastUsedMs: number
  readonly partitions = new Map<string, Cached>()

  constructor(id: number, usesIds: boolean, now: number) {
    this.id = id
    this.usesIds = usesIds
    this.lastUsedMs = now
  }

  update(wanted: readonly FetchPartition[]): void {
    for (const w of wanted) {
      const key = keyOf(w)
      const cached = this.partitions.get(key)
      if (cached) cached.wanted = w
      else this.partitions.set(key, { wanted: w, highWatermark: -1, logStartOffset: -1 })
    }
  }

  /** Names what has news. Partitions that were served go to the end, so that all get their turn. */
  select(results: readonly FetchedPartition[]): FetchedPartition[] {
    const news = results.filter((r) => this.#hasNews(r))
    for (const result of news) {
      if (result.bytes === 0) continue
      const key = keyOf(result.wanted)
      const cached = this.partitions.get(key)
      if (cached && this.partitions.delete(key)) this.partitions.set(key, cached)
    }
    return news
  }

  #hasNews(result: FetchedPartition): boolean {
    const cached = this.partitions.get(keyOf(result.wanted))
    if (!cached) return true
    const failed = result.error !== Errors.NONE
    const moved = cached.highWatermark !== result.highWatermark || cached.logStartOffset !== result.logStartOffset
    cached.highWatermark = failed ? -1 : result.highWatermark
    cached.logStartOffset = result.logStartOffset
    return failed || moved || result.bytes > 0 || result.diverging !== undefined
  }
}

export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #slots: number
  readonly #sessions = new Map<number, FetchSession>()

  constructor(clock: Clock, random: Random, slots: number) {
    this.#clock = clock
    this.#random = random
    this.#slots = slots
  }

  get size(): number {
    return this.#sessions.size
  }

  plan(request: Request, usesIds: boolean, nameOf: (topic: Request['topics'][number]) => string): FetchPlan {
    const wanted = wantedOf(request, nameOf)
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === FULL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== NO_SESSION) this.#sessions.delete(sessionId)
      const session = sessionEpoch === FULL_EPOCH ? this.#create(usesIds, wanted) : undefined
      const select = (results: readonly FetchedPartition[]) => {
        session?.select(results)
        return results
      }
      return { error: Errors.NONE, sessionId: session?.id ?? NO_SESSION, partitions: wanted, select }
    }
    return this.#continue(request, usesIds, wanted, nameOf)
  }

  #continue(
    request: Request,
    usesIds: boolean,
    wanted: readonly FetchPartition[],
    nameOf: (topic: Request['topics'][number]) => string,
  ): FetchPlan {
    const session = this.#sessions.get(request.sessionId)
    if (!session) return refusal(Errors.FETCH_SESSION_ID_NOT_FOUND)
    if (request.sessionEpoch !== session.epoch) return refusal(Errors.INVALID_FETCH_SESSION_EPOCH)
    if (session.usesIds !== usesIds) return refusal(Errors.FETCH_SESSION_TOPIC_ID_ERROR)
    session.update(wanted)
    for (const topic of request.forgottenTopicsData) {
      const name = nameOf({ topic: topic.topic, topicId: topic.topicId, partitions: [] })
      for (const index of topic.partitions) session.partitions.delete(`${topic.topicId}:${name}:${index}`)
    }
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return { error: Errors.NONE, sessionId: NO_SESSION, partitions: [], select: (results) => results }
    }
    session.epoch = session.epoch === MAX_EPOCH ? 1 : session.epoch + 1
    session.lastUsedMs = this.#clock.mono()
    const partitions = [...session.partitions.values()].map((c) => c.wanted)
    return { error: Errors.NONE, sessionId: session.id, partitions, select: (results) => session.select(results) }
  }

  /** Undefined when every slot is taken by a session that is in use: the client then sends full requests. */
  #create(usesIds: boolean, wanted: readonly FetchPartition[]): FetchSession | undefined {
    if (wanted.length === 0 || (this.#sessions.size >= this.#slots && !this.#evict())) return undefined
    let id: number
    do id = 1 + this.#random.below(MAX_EPOCH - 1)
    while (this.#sessions.has(id))
    const session = new FetchSession(id, usesIds, this.#clock.mono())
    session.update(wanted)
    this.#sessions.set(id, session)
    return session
  }

  #evict(): boolean {
    const now = this.#clock.mono()
    const idle = [...this.#sessions.values()].find((s) => now - s.lastUsedMs > EVICTION_MS)
    return idle !== undefined && this.#sessions.delete(idle.id)
  }
}

function refusal(error: number): FetchPlan {
  return { error, sessionId: NO_SESSION, partitions: [], select: () => [] }
}

function wantedOf(request: Request, nameOf: (topic: Request['topics'][number]) => string): FetchPartition[] {
  return request.topics.flatMap((topic) => {
    const name = nameOf(topic)
    return topic.partitions.map((p) => ({
      topic: name,
      topicId: topic.topicId,
      index: p.partition,
      fetchOffset: p.fetchOffset,
      currentLeaderEpoch: p.currentLeaderEpoch,
      lastFetchedEpoch: p.lastFetchedEpoch,
      maxBytes: p.partitionMaxBytes,
    }))
  })
}

function keyOf({ topic, topicId, index }: FetchPartition): string {
  return `${topicId}:${topic}:${index}`
}
