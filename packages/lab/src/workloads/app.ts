// A person's own program as load, in one or several copies: started with BOOTSTRAP_SERVERS, and a target: app:1, app:2 …
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import type { Workload } from '../experiment/schema.ts'
import type { RunningWorkload, WorkloadContext } from './workload.ts'

type Options = Extract<Workload, { kind: 'app' }>

/** What a program that floods may write. */
const LOG_LIMIT = 10 * 1024 * 1024
const LAST_WORDS = 2000
/** A program that is still there then has started. */
const STARTED_MS = 2000
const GOODBYE_MS = 10_000
/** As a shell has it for who was ended by a signal. */
const KILLED = 137

export type Deed = 'kill' | 'terminate' | 'pause' | 'resume' | 'restart'

export function startApp(options: Options, context: WorkloadContext): RunningWorkload & { readonly copies: readonly Copy[] } {
  mkdirSync(context.logs, { recursive: true })
  const copies = Array.from({ length: options.replicas }, (_, i) => new Copy(`app:${i + 1}`, options, context))
  for (const copy of copies) copy.start()
  return {
    name: options.replicas === 1 ? 'app:1' : `app:1 to app:${options.replicas}`,
    copies,
    get flows() {
      return copies.every((c) => c.hasStarted)
    },
    // It reads on until it has read everything.
    stopProducing: () => Promise.resolve(),
    stop: async () => void (await Promise.all(copies.map((c) => c.stop()))),
  }
}

/** How a copy came to its end; `code` is null while it runs. */
export interface CopyEnd {
  readonly name: string
  readonly code: number | null
  readonly endedAt: number | null
  readonly words: string
}

export class Copy {
  readonly name: string
  readonly #o: Options
  readonly #context: WorkloadContext
  readonly #log: WriteStream
  #written = 0
  #words = ''
  #child: ChildProcess | undefined
  #startedAt = 0
  #paused = false
  /** It may end: somebody has ended it. */
  #mayEnd = false
  #ended: Promise<void> = Promise.resolve()
  #code: number | null = null
  #endedAt: number | null = null

  constructor(name: string, options: Options, context: WorkloadContext) {
    this.name = name
    this.#o = options
    this.#context = context
    this.#log = createWriteStream(join(context.logs, `${name.replace(':', '-')}.log`), { flags: 'a' })
  }

  /** Of its process group, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  get hasStarted(): boolean {
    return this.#child !== undefined && Date.now() - this.#startedAt >= STARTED_MS
  }

  get end(): CopyEnd {
    return { name: this.name, code: this.#code, endedAt: this.#endedAt, words: this.#lastWords }
  }

  get #lastWords(): string {
    return this.#words.trim().slice(-300)
  }

  start(): void {
    const { command, env } = this.#o
    const given = { BOOTSTRAP_SERVERS: this.#context.bootstrap, APP_INSTANCE: this.name.slice('app:'.length), ...env }
    // A group of its own, so that whatever it starts ends with it.
    const child = spawn(command, {
      shell: true,
      detached: true,
      env: { ...process.env, ...given },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#startedAt = Date.now()
    this.#mayEnd = false
    this.#code = this.#endedAt = null
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (bytes: Buffer) => this.#keep(bytes))
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => (this.#words += error.message))
      child.once('close', (code, signal) => {
        this.#child = undefined
        this.#paused = false
        this.#endedAt = Date.now()
        this.#code = code ?? KILLED
        if (!this.#mayEnd && code !== 0) this.#context.died(`${this.name} ended with ${code ?? signal}: ${this.#lastWords}`)
        resolve()
      })
    })
  }

  async act(deed: Deed): Promise<void> {
    switch (deed) {
      case 'kill':
        return this.#end('SIGKILL')
      case 'terminate':
        return this.#end('SIGTERM')
      case 'pause':
        this.#signal('SIGSTOP')
        this.#paused = true
        return
      case 'resume':
        this.#signal('SIGCONT')
        this.#paused = false
        return
      case 'restart':
        if (this.#child) await this.#end('SIGTERM')
        this.start()
    }
  }

  /** Whoever was ended, or stopped, runs again. */
  async heal(): Promise<void> {
    if (this.#paused) await this.act('resume')
    else if (!this.#child && this.#mayEnd) this.start()
  }

  async stop(): Promise<void> {
    if (this.#paused) await this.act('resume')
    if (this.#child) await this.#end('SIGTERM')
    await new Promise((resolve) => this.#log.end(resolve))
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#mayEnd = true
    this.#signal(signal)
    const limit = setTimeout(() => this.#signal('SIGKILL'), GOODBYE_MS)
    await this.#ended
    clearTimeout(limit)
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child ?? {}
    if (pid === undefined) throw new Refusal('UNKNOWN_NODE', `${this.name} does not run`, 'restart it first')
    try {
      process.kill(-pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }

  #keep(bytes: Buffer): void {
    this.#words = (this.#words + bytes.toString()).slice(-LAST_WORDS)
    if (this.#written > LOG_LIMIT) return
    this.#written += bytes.length
    this.#log.write(bytes)
    if (this.#written > LOG_LIMIT) this.#log.write('\nmore than 10 MiB: the rest is left out\n')
  }
}
