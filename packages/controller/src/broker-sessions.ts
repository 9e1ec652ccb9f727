// When brokers were last heard of: soft state of the active controller, on the wall clock. A new active controller gives everyone a full session.
import type { Clock } from '@faultline/base'

interface Session {
  lastContact: number
  metadataOffset: number
  /** Offset of the record that began its controlled shutdown, -1 when it is not stopping. */
  shutdownOffset: number
}

export class BrokerSessions {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #sessions = new Map<number, Session>()

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  reset(brokers: Iterable<number>): void {
    this.#sessions.clear()
    for (const id of brokers) this.touch(id, -1)
  }

  touch(broker: number, metadataOffset: number): void {
    const session = this.#sessions.get(broker)
    const shutdownOffset = session?.shutdownOffset ?? -1
    this.#sessions.set(broker, { lastContact: this.#clock.wall(), metadataOffset, shutdownOffset })
  }

  remove(broker: number): void {
    this.#sessions.delete(broker)
  }

  hasSession(broker: number): boolean {
    const session = this.#sessions.get(broker)
    return session !== undefined && this.#clock.wall() - session.lastContact < this.#timeoutMs
  }

  all(): { id: number; metadataOffset: number; lastContact: number }[] {
    return [...this.#sessions].map(([id, { metadataOffset, lastContact }]) => ({ id, metadataOffset, lastContact }))
  }

  /** Brokers whose session ended, the longest silent first. */
  expired(): number[] {
    const late = [...this.#sessions].filter(([id]) => !this.hasSession(id))
    return late.sort(([, a], [, b]) => a.lastContact - b.lastContact).map(([id]) => id)
  }

  /** Milliseconds until the next session can end; undefined when there is none. */
  nextExpiry(): number | undefined {
    const ends = [...this.#sessions.values()].map((s) => s.lastContact + this.#timeoutMs - this.#clock.wall())
    return ends.length === 0 ? undefined : Math.max(0, Math.min(...ends))
  }

  beginShutdown(broker: number, offset: number): void {
    const session = this.#sessions.get(broker)
    if (session) session.shutdownOffset = offset
  }

  /** Has every one of `others` replayed the record that began this broker's controlled shutdown? */
  shutdownSeen(broker: number, others: Iterable<number>): boolean {
    const offset = this.#sessions.get(broker)?.shutdownOffset ?? -1
    if (offset < 0) return false
    return [...others].every((id) => (this.#sessions.get(id)?.metadataOffset ?? -1) >= offset)
  }
}
