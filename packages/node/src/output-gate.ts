// Nothing leaves this node while the gate is held: neither answers to clients nor messages to other nodes. So what a condition has caught
// cannot be seen outside before whoever acts on it has acted. Held for a bounded time only.

export class OutputGate {
  #waiting: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined

  get held(): boolean {
    return this.#timer !== undefined
  }

  hold(limitMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.release(), limitMs)
  }

  release(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const send of waiting) send()
  }

  /** Sends now, or when the gate opens, in order. */
  pass(send: () => void): void {
    if (this.#timer) this.#waiting.push(send)
    else send()
  }
}
