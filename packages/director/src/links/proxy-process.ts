// The proxy process that comes with the product: started, and started again when it has ended.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

export class ProxyProcess {
  readonly #program: string
  #child: ChildProcess | undefined
  /** It has ended, and nobody told it to. */
  onExit: (how: string) => void = () => {}

  /** `program` is where proxy.cjs is. */
  constructor(program: string) {
    this.#program = program
  }

  get runs(): boolean {
    return this.#child !== undefined
  }

  /** Resolves with the URL of its API. */
  async start(): Promise<string> {
    const child = spawn(process.execPath, [join(this.#program, 'proxy.cjs'), '0'], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    const line = await new Promise<string>((resolve, reject) => {
      const ended = (how: string) => {
        reject(new Error(`the proxy ended (${how})`))
        if (this.#child !== child) return
        this.#child = undefined
        this.onExit(how)
      }
      child.once('error', (error) => ended(error.message))
      child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`))
      child.stdout!.once('data', (data: Buffer) => resolve(data.toString()))
    })
    return `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}`
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
}
