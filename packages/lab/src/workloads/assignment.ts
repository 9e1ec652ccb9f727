// A consumer that takes its partitions itself, and reads from where it likes.
import { type ClusterClient, readCommitted } from '@faultline/client'
import type { Hold, History, Position, Transaction } from '../history/history.ts'

interface Held {
  hold: Hold
  position: number
}

export class Assignment {
  readonly #client: ClusterClient
  readonly #process: string
  readonly #topic: string
  readonly #history: History
  readonly #isolation: 'read_committed' | 'read_uncommitted'
  readonly #held = new Map<number, Held>()

  constructor(
    client: ClusterClient,
    process: string,
    topic: string,
    history: History,
    isolation: 'read_committed' | 'read_uncommitted',
  ) {
    this.#client = client
    this.#process = process
    this.#topic = topic
    this.#history = history
    this.#isolation = isolation
  }

  get partitions(): readonly number[] {
    return [...this.#held.keys()]
  }

  /** Whatever it held before it holds no more. */
  take(positions: ReadonlyMap<number, number>): void {
    this.end()
    for (const [partition, position] of positions) this.#begin(partition, position)
  }

  /** Reads on in one partition; the position after that, or undefined when there was nothing. */
  async poll(partition: number, abandoned: () => boolean, transaction?: Transaction): Promise<Position | undefined> {
    const held = this.#held.get(partition)!
    const [topic, { number: hold }] = [this.#topic, held.hold]
    const read = await readCommitted(this.#client, topic, partition, held.position, abandoned, this.#isolation)
    const at = Date.now()
    const text = new TextDecoder()
    const about = { process: this.#process, topic, partition, hold, at, ...(transaction ? { transaction: transaction.id } : {}) }
    for (const { offset, key, value } of read.records)
      this.#history.reads.push({ op: 'read', ...about, offset, key: text.decode(key), value: text.decode(value) })
    held.position = read.nextOffset
    return read.records.length === 0 ? undefined : { topic, partition, offset: read.nextOffset }
  }

  positions(): Map<number, number> {
    return new Map([...this.#held].map(([partition, { position }]) => [partition, position]))
  }

  end(): void {
    for (const { hold } of this.#held.values()) hold.ended = Date.now()
    this.#held.clear()
  }

  #begin(partition: number, position: number): void {
    const hold = this.#history.hold(this.#process, null, this.#topic, partition, position, Date.now())
    this.#held.set(partition, { hold, position })
  }
}
