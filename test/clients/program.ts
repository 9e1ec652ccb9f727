// A client's program while it runs: lines in, lines out, and what it complained of. As whoever runs a service does, it is started again when it
// says that it cannot go on.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const COMPLAINTS = 2000
/** The exit code of a program that wants to be started again. */
const AGAIN = 75
const FINISH_LIMIT_MS = 60_000
const TERMINATE_LIMIT_MS = 20_000

export class Program implements AsyncDisposable {
  readonly #name: string
  readonly #closed: Promise<void>
  #child!: ChildProcessWithoutNullStreams
  #complaints = ''
  #outcome: number | string | undefined
  #stopping = false

  constructor(name: string, command: Command, onLine: (line: string) => void) {
    this.#name = name
    this.#closed = new Promise((resolve) => this.#start(command, onLine, resolve))
  }

  #start(command: Command, onLine: (line: string) => void, onEnd: () => void): void {
    const { file, args, env } = command
    this.#child = spawn(file, args, { env: { ...process.env, ...env } })
    this.#child.stderr.on('data', (bytes) => {
      this.#complaints = (this.#complaints + bytes).slice(-COMPLAINTS)
    })
    // It may end before it has read everything: its exit code tells.
    this.#child.stdin.on('error', () => {})
    createInterface({ input: this.#child.stdout }).on('line', onLine)
    this.#child.once('error', (error) => (this.#complaints += error.message))
    this.#child.once('close', (code, signal) => {
      if (code === AGAIN && !this.#stopping) return this.#start(command, onLine, onEnd)
      this.#outcome = code === AGAIN ? 0 : (code ?? signal ?? 'nothing')
      onEnd()
    })
  }

  /** Throws when it ended by itself. */
  mustRun(): void {
    if (this.#outcome !== undefined) throw new Error(`${this.#name} ended with ${this.#outcome}: ${this.complaints}`)
  }

  get complaints(): string {
    return this.#complaints.trim()
  }

  /** Only while it takes more. */
  write(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  get takesMore(): boolean {
    return this.#outcome === undefined && !this.#child.stdin.writableNeedDrain
  }

  /** Ends its input, and waits until it has dealt with all of it. */
  finish(): Promise<number | string> {
    this.#child.stdin.end()
    return this.#end(FINISH_LIMIT_MS)
  }

  terminate(): Promise<number | string> {
    this.#stopping = true
    this.#child.kill('SIGTERM')
    return this.#end(TERMINATE_LIMIT_MS)
  }

  /** How it ended: its exit code, or the signal; SIGKILL when it took too long. */
  async #end(limitMs: number): Promise<number | string> {
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), limitMs)
    await this.#closed
    clearTimeout(patience)
    return this.#outcome!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true
    if (this.#outcome === undefined) this.#child.kill('SIGKILL')
    await this.#closed
  }
}
