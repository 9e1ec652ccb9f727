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

  /** Lines of JSON to their end; one that was cut off is left out. */
  async *lines<T>(path: string): AsyncGenerator<T> {
    const response = await fetch(`${this.#url}/v1${path}`, { headers: this.#headers })
    if (!response.ok) throw this.#foreign()
    for await (const line of piecesOf(response, '\n')) {
      const value = parsed<T>(line)
      if (value !== undefined) yield value
    }
  }

  /** Server-sent events until `signal` says stop or the other side ends. */
  async *events<T>(after: number, signal: AbortSignal): AsyncGenerator<T> {
    const response = await fetch(`${this.#url}/v1/events?after=${after}`, { headers: this.#headers, signal })
    for await (const block of piecesOf(response, '\n\n')) {
      const data = block.split('\n').find((line) => line.startsWith('data:'))
      if (data) yield JSON.parse(data.slice('data:'.length)) as T
    }
  }
}

/** What is between the marks, as it comes. */
async function* piecesOf(response: Response, mark: string): AsyncGenerator<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    const pieces = text.split(mark)
    text = pieces.pop()!
    yield* pieces
  }
}

/** Undefined for a line that a node could not write to its end. */
function parsed<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T
  } catch {
    return undefined
  }
}
