// The control API as a Node program calls it.
import { Refusal, type RefusalCode } from '@faultline/base'

interface Refused {
  readonly refused: { readonly code: RefusalCode; readonly message: string; readonly advice: string }
}

export class ControlClient {
  readonly #url: string
  readonly #advice: string
  readonly #headers: Record<string, string>

  /** `advice` is for whoever finds nobody there. */
  constructor(url: string, token: string | null, advice: string) {
    this.#url = url
    this.#advice = advice
    this.#headers = { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) }
  }

  /** Throws the Refusal that it was answered with, or one that says that nobody answered. */
  async call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const init = { method, headers: this.#headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const response = await fetch(`${this.#url}/v1${path}`, init).catch((error: Error) => {
      throw new Refusal(
        'NO_CLUSTER',
        `the control API at ${this.#url} cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}`,
        this.#advice,
      )
    })
    const answer = (await response.json().catch(() => {
      throw this.#foreign()
    })) as T | Refused
    if (response.ok) return answer as T
    const { refused } = answer as Partial<Refused>
    throw refused ? new Refusal(refused.code, refused.message, refused.advice) : this.#foreign()
  }

  #foreign(): Refusal {
    return new Refusal('NO_CLUSTER', `what answers at ${this.#url} is no control API of Faultline`, this.#advice)
  }

  /** Server-sent events until `signal` says stop or the other side ends. */
  async *events<T>(after: number, signal: AbortSignal): AsyncGenerator<T> {
    const response = await fetch(`${this.#url}/v1/events?after=${after}`, { headers: this.#headers, signal })
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks) {
        const data = block.split('\n').find((line) => line.startsWith('data:'))
        if (data) yield JSON.parse(data.slice('data:'.length)) as T
      }
    }
  }
}
