// The record at a broker's edge as a file, beside the management socket, where the director finds it in every world. The folder says that it is
// wanted: who makes it wants it, and a broker that starts looks whether it is there.
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { EdgeSink, Moment } from '@faultline/base'
import { machineMs } from './system-clock.ts'

/** What floods is cut off here, and says so in its last line. */
const LIMIT_BYTES = 128 * 1024 * 1024

/** In the folder of the management sockets. */
export function edgeFolder(management: string): string {
  return join(management, 'edge')
}

export function isEdgeWanted(management: string): boolean {
  return existsSync(edgeFolder(management))
}

export class EdgeFile implements EdgeSink {
  readonly #node: string
  /** Tells this life of the node from others. */
  readonly #life = Date.now()
  #file: number | undefined
  #left: number

  constructor(management: string, node: string) {
    const folder = edgeFolder(management)
    mkdirSync(folder, { recursive: true })
    this.#node = node
    this.#file = openSync(join(folder, `${node.replace(':', '-')}.jsonl`), 'a')
    const { size } = fstatSync(this.#file)
    this.#left = LIMIT_BYTES - size
    // The life before may have ended in the middle of a line.
    if (size > 0) writeSync(this.#file, '\n')
  }

  now(): Moment {
    return { t: Date.now(), mono: machineMs() }
  }

  /** At once: what is in the machine's page cache outlives this process. */
  write(line: object): void {
    if (this.#file === undefined) return
    const text = `${JSON.stringify({ node: this.#node, life: this.#life, ...line })}\n`
    this.#left -= text.length
    try {
      if (this.#left > 0) writeSync(this.#file, text)
      else this.#end()
    } catch {
      this.#end()
    }
  }

  #end(): void {
    const file = this.#file!
    this.#file = undefined
    try {
      writeSync(file, `${JSON.stringify({ node: this.#node, life: this.#life, ...this.now(), full: true })}\n`)
      closeSync(file)
    } catch {
      // The disk is full: what came last may be cut off, and is left out by who reads.
    }
  }
}
