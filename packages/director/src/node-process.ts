// One node as a child process: started, signalled, watched. It is in a process group of its own, so that a Ctrl-C at the terminal reaches
// the supervisor alone, which then stops the nodes in order.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterFolder, NodeAddress } from './cluster-folder.ts'
import type { FleetNode, ProcessState } from './fleet.ts'

/**
 * A small young generation is collected often, and with it the buffers that requests came in. With a large one V8 sees the memory outside
 * its heap grow instead and marks the whole heap for it: a third of a broker's time (docs/decisions/small-young-generation.md).
 */
const NODE_FLAGS = ['--max-semi-space-size=1', '--min-semi-space-size=1']

export class NodeProcess implements FleetNode {
  readonly address: NodeAddress
  readonly name: string
  readonly #folder: ClusterFolder
  readonly #program: string
  readonly #detached: boolean
  #child: ChildProcess | undefined
  #state: ProcessState = 'exited'
  #exit = ''
  #ended: Promise<void> = Promise.resolve()
  onExit: (node: NodeProcess) => void = () => {}
  answered = false

  constructor(address: NodeAddress, folder: ClusterFolder, program: string, detached: boolean) {
    this.address = address
    this.name = `${address.role}:${address.id}`
    this.#folder = folder
    this.#program = program
    this.#detached = detached
  }

  get pid(): number {
    return this.#child?.pid ?? -1
  }

  get state(): ProcessState {
    return this.#state
  }

  get exit(): string {
    return this.#exit
  }

  get socket(): string {
    return this.#folder.socket(this.name)
  }

  start(): void {
    const log = openSync(this.#folder.log(this.name), 'a')
    const args = [...NODE_FLAGS, join(this.#program, 'node.cjs'), this.#folder.config(this.name)]
    const child = spawn(process.execPath, args, {
      stdio: [this.#detached ? 'ignore' : 'pipe', log, log],
      detached: true,
      cwd: this.#folder.path,
    })
    closeSync(log)
    this.#child = child
    this.#state = 'running'
    this.#exit = ''
    this.answered = false
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#state = 'exited'
        this.#exit = how
        resolve()
        this.onExit(this)
      }
      child.once('error', (error) => end(error.message))
      child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (this.#state === 'exited') return
    this.#child!.kill(signal)
    if (signal === 'SIGSTOP') this.#state = 'paused'
    if (signal === 'SIGCONT') this.#state = 'running'
  }

  ended(): Promise<void> {
    return this.#ended
  }

  /** Ends in order within `graceMs`, else by force. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state === 'exited') return
    this.signal('SIGCONT')
    this.signal('SIGTERM')
    const force = setTimeout(() => this.signal('SIGKILL'), graceMs)
    await this.#ended
    clearTimeout(force)
  }
}
