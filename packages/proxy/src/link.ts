// One direction of one connection: what comes in goes through the toxics of that direction, in their order, and out. A toxic that is added
// or removed meanwhile takes effect on what comes next; what a removed one held back goes on at once.
import type { Socket } from 'node:net'
import type { Toxic } from './toxic.ts'

/** Where a toxic passes on what it lets through. */
export interface Output {
  push(chunk: Buffer): void
  /** No more will come. */
  end(): void
}

/** What a toxic may do to the connection that it sits on. */
export interface LinkControl {
  /** Stops reading, until resume: for a toxic that holds too much. Calls add up. */
  pause(): void
  resume(): void
  /** Ends both directions in order, or with a reset. */
  close(how: 'end' | 'reset'): void
}

/** A toxic at work on one link. */
export interface Stage extends Output {
  /** The toxic is gone: what is held goes out now. */
  detach(): void
  /** The connection is gone. */
  dispose(): void
}

interface Placed {
  readonly toxic: Toxic
  readonly stage: Stage
}

export class Link implements LinkControl {
  readonly #from: Socket
  readonly #to: Socket
  readonly #close: (how: 'end' | 'reset') => void
  #placed: readonly Placed[] = []
  #pauses = 0
  #congested = false

  constructor(from: Socket, to: Socket, close: (how: 'end' | 'reset') => void) {
    this.#from = from
    this.#to = to
    this.#close = close
    from.on('data', (chunk: Buffer) => this.#first.push(chunk))
    from.on('end', () => this.#first.end())
    to.on('drain', () => this.#drained())
  }

  /** The toxics that this link is to have from now on; those that it has already stay as they are. */
  set(toxics: readonly Toxic[]): void {
    const gone = this.#placed.filter((p) => !toxics.includes(p.toxic))
    this.#placed = toxics.map((toxic) => this.#placed.find((p) => p.toxic === toxic) ?? this.#place(toxic))
    for (const { stage } of gone) stage.detach()
  }

  pause(): void {
    if (this.#pauses++ === 0) this.#from.pause()
  }

  resume(): void {
    if (--this.#pauses === 0) this.#from.resume()
  }

  close(how: 'end' | 'reset'): void {
    this.#close(how)
  }

  dispose(): void {
    for (const { stage } of this.#placed) stage.dispose()
    this.#placed = []
  }

  get #first(): Output {
    return this.#placed[0]?.stage ?? this.#sink
  }

  #place(toxic: Toxic): Placed {
    const after = (): Output => {
      const at = this.#placed.findIndex((p) => p.toxic === toxic)
      return this.#placed[at + 1]?.stage ?? this.#sink
    }
    const output = { push: (chunk: Buffer) => after().push(chunk), end: () => after().end() }
    return { toxic, stage: toxic.attach(output, this) }
  }

  readonly #sink: Output = {
    push: (chunk) => {
      if (this.#to.destroyed || this.#to.write(chunk) || this.#congested) return
      this.#congested = true
      this.pause()
    },
    end: () => this.#to.end(),
  }

  #drained(): void {
    if (!this.#congested) return
    this.#congested = false
    this.resume()
  }
}
