// How the run looks while it goes on: a line for each thing that happens, and on a terminal a line at the bottom that counts.

const TICK_MS = 200

export class Screen {
  readonly #out = process.stdout
  readonly #started = Date.now()
  readonly #live: boolean
  #counter: () => string = () => ''
  #timer: NodeJS.Timeout | undefined

  /** `quiet`: nothing but the result, for machines. */
  constructor(quiet: boolean) {
    this.#live = !quiet && this.#out.isTTY === true
    this.line = quiet ? () => {} : (text) => this.#write(text)
  }

  readonly line: (text: string) => void

  /** Something happened, `seconds` into the run. */
  event(text: string): void {
    const seconds = ((Date.now() - this.#started) / 1000).toFixed(1).padStart(5)
    this.line(`${seconds}s  ${text}`)
  }

  count(counter: () => string): void {
    this.#counter = counter
    if (this.#live) this.#timer = setInterval(() => this.#draw(), TICK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    if (this.#live) this.#out.write('\r\x1b[K')
  }

  #write(text: string): void {
    this.#out.write(this.#live ? `\r\x1b[K${text}\n` : `${text}\n`)
    if (this.#timer) this.#draw()
  }

  #draw(): void {
    this.#out.write(`\r\x1b[K${this.#counter().slice(0, (this.#out.columns ?? 80) - 1)}`)
  }
}
