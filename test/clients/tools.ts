// The JVM that Apache Kafka's command-line tools run in, one at a time.
import { join } from 'node:path'
import type { Java } from './java.ts'
import { Program } from './program.ts'

export class Tools implements AsyncDisposable {
  readonly #program: Program
  #lines: string[] = []
  #answered: (lines: string[]) => void = () => {}

  constructor(java: Java) {
    const source = join(import.meta.dirname, 'programs/java-console/Tools.java')
    this.#program = new Program("Kafka's tools", java(source), (line) => this.#take(line))
  }

  /** The lines that a tool prints, by the name of its class and its arguments. */
  ask(command: string): Promise<string[]> {
    this.#program.mustRun()
    this.#program.write(`org.apache.kafka.tools.${command}`)
    return new Promise((resolve) => (this.#answered = resolve))
  }

  async text(command: string): Promise<string> {
    return (await this.ask(command)).join('\n')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]()
  }

  #take(line: string): void {
    if (line !== 'END') {
      if (line.trim() !== '') this.#lines.push(line)
      return
    }
    this.#answered(this.#lines)
    this.#lines = []
  }
}
