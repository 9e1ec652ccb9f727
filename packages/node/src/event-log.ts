// Events of a node: a line of JSON each on standard output, and to whoever listens on the management socket.
import { writeSync } from 'node:fs'
import type { EventFields, EventSink } from '@faultline/base'
import { machineMs } from './system-clock.ts'

/** Events that a late listener still gets. */
const KEPT = 2000

export class EventLog implements EventSink {
  readonly #node: string
  readonly #kept: string[] = []
  readonly #listeners = new Set<(line: string) => void>()

  constructor(node: string) {
    this.#node = node
  }

  emit(name: string, fields: EventFields): void {
    const line = JSON.stringify({ t: Date.now(), mono: machineMs(), node: this.#node, event: name, ...fields })
    try {
      writeSync(1, `${line}\n`)
    } catch {
      // The log's disk is full or gone: the node lives on, listeners still hear.
    }
    this.#kept.push(line)
    if (this.#kept.length > KEPT) this.#kept.splice(0, KEPT / 2)
    for (const listener of this.#listeners) listener(line)
  }

  /** Everything that is kept, then everything that comes. Returns how to stop. */
  listen(listener: (line: string) => void): () => void {
    for (const line of this.#kept) listener(line)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
