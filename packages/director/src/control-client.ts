// The control API as a Node program calls it.
import { Refusal, type RefusalCode } from '@faultline/base'

interface Refused {
  readonly refused: { readonly code: RefusalCode; readonly message: string; readonly advice: string }
}

export class ControlClient {
  readonly #url: string
  readonly #headers: Record<string, string>

  constructor(url: string, token: string | null) {
    this.#url = url
    this.#headers = { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) }
  }

  /** Throws the Refusal that it was answered with, or one that says that nobody answered. */
  async call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const init = { method, headers: this.#headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const response = await fetch(`${this.#url}/v1${path}`, init).catch((error: Error) => {
      throw new Refusal(
        'NO_CLUSTER',
        `the supervisor at ${this.#url} ended or cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}`,
        'logs/supervisor.log in the folder of the cluster has its last words; start it again with: npx faultline up --dir FOLDER',
      )
    })
    const answer = (await response.json()) as T | Refused
    if (response.ok) return answer as T
    const { code, message, advice } = (answer as Refused).refused
    throw new Refusal(code, message, advice)
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
