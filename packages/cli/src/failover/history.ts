// What the clients saw: every send with its outcome, every record read. The judge reads nothing else.

export interface Sent {
  readonly partition: number
  readonly sequence: number
  readonly sentMs: number
  /** When the acknowledgement came; undefined while, or for ever, it is open whether the record is there. */
  ackedMs: number | undefined
  error: string | undefined
}

export interface Read {
  readonly partition: number
  readonly offset: number
  readonly sequence: number
  readonly readMs: number
}

export class History {
  readonly sent: Sent[] = []
  readonly #reads = new Map<string, Read>()
  /** A record that came back different at an offset where it was read before. */
  readonly contradictions: Read[] = []

  begin(partition: number, sequence: number, now: number): Sent {
    const sent: Sent = { partition, sequence, sentMs: now, ackedMs: undefined, error: undefined }
    this.sent.push(sent)
    return sent
  }

  /** Consumers may read a record again after a rebalance: what counts is what is where. */
  read(read: Read): void {
    const key = `${read.partition}:${read.offset}`
    const before = this.#reads.get(key)
    if (!before) this.#reads.set(key, read)
    else if (before.sequence !== read.sequence) this.contradictions.push(read)
  }

  get reads(): Read[] {
    return [...this.#reads.values()]
  }

  get acknowledged(): Sent[] {
    return this.sent.filter((s) => s.ackedMs !== undefined)
  }

  get readCount(): number {
    return this.#reads.size
  }
}
