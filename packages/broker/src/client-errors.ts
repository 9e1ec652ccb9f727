// What clients were refused: each error in an answer is told as an event. Those that repeat are told together, so that a client that asks in
// a loop floods nobody.
import type { Clock, EventFields, EventSink } from '@faultline/base'
import { type Api, errorName, errorScan, type ErrorScan, type Message } from '@faultline/protocol'

export interface Asker {
  readonly version: number
  readonly clientId: string | null
}

interface Repeated {
  toldAt: number
  /** Since then. */
  count: number
}

const TELL_EVERY_MS = 1000
/** Of different errors; the one that came first is forgotten first. */
const KEPT = 1000

/** What an event says of where the error was: its name there, and the names that messages have for it. */
const PLACES: readonly (readonly [string, readonly string[]])[] = [
  ['topic', ['topic', 'topicName', 'name']],
  ['topicId', ['topicId']],
  ['partition', ['partitionIndex', 'partition', 'partitionId', 'index']],
  ['group', ['groupId']],
  ['transactionalId', ['transactionalId']],
]

export class ClientErrors {
  readonly #clock: Clock
  readonly #events: EventSink
  readonly #topicOf: (id: string) => string | undefined
  readonly #scans = new Map<number, ErrorScan>()
  readonly #repeated = new Map<string, Repeated>()

  constructor(clock: Clock, events: EventSink, topicOf: (id: string) => string | undefined) {
    this.#clock = clock
    this.#events = events
    this.#topicOf = topicOf
  }

  /** Looks at an answer before it leaves. */
  note(api: Api, answer: object, asker: Asker): void {
    let scan = this.#scans.get(api.key)
    if (!scan) this.#scans.set(api.key, (scan = errorScan((api.response as Message).fields)))
    scan(answer as Readonly<Record<string, unknown>>, (code, rows) => this.#tell(api, code, this.#place(rows), asker))
  }

  #place(rows: readonly Readonly<Record<string, unknown>>[]): EventFields {
    const place: Record<string, string | number> = {}
    for (const [name, fields] of PLACES) {
      for (const row of rows) {
        const value = fields.map((field) => row[field]).find((v) => typeof v === 'number' || (typeof v === 'string' && v !== ''))
        if (value !== undefined) place[name] = value as string | number
      }
    }
    const { topicId, ...rest } = place
    const topic = rest['topic'] ?? this.#topicOf(String(topicId)) ?? topicId
    return topic === undefined ? rest : { ...rest, topic }
  }

  #tell(api: Api, code: number, place: EventFields, { version, clientId }: Asker): void {
    const about = { api: api.name, error: errorName(code), client: clientId, ...place }
    const key = JSON.stringify(about)
    const now = this.#clock.mono()
    const before = this.#repeated.get(key)
    if (before && now - before.toldAt < TELL_EVERY_MS) {
      before.count++
      return
    }
    this.#events.emit('client.error', { ...about, version, repeated: before?.count ?? 0 })
    this.#repeated.delete(key)
    this.#repeated.set(key, { toldAt: now, count: 0 })
    if (this.#repeated.size > KEPT) this.#repeated.delete(this.#repeated.keys().next().value!)
  }
}
