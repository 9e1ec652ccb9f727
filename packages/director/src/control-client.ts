// The control API as a Node program calls it.
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { text as textOf } from 'node:stream/consumers'
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
    const [status, text] = await this.#exchange(method, path, body)
    let answer: T | Refused
    try {
      answer = JSON.parse(text) as T | Refused
    } catch {
      throw this.#foreign()
    }
    if (status < 300) return answer as T
    const { refused } = answer as Partial<Refused>
    throw refused ? new Refusal(refused.code, refused.message, refused.advice) : this.#foreign()
  }

  async #exchange(method: string, path: string, body: unknown): Promise<[status: number, text: string]> {
    try {
      const response = await this.#ask(method, path, body === undefined ? undefined : JSON.stringify(body))
      return [response.statusCode!, await textOf(response)]
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      const what = `the control API at ${this.#url} cannot be reached: ${message || code}`
      throw new Refusal('NO_CLUSTER', what, this.#advice)
    }
  }

  /**
   * Node's own client, each time on a new connection. Of fetch, in Node 20, nothing is ever heard when its first connection is closed at once,
   * as Docker closes ports that nobody listens on yet.
   */
  #ask(method: string, path: string, body?: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(`${this.#url}/v1${path}`)
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const asked = request(url, { method, headers: this.#headers, agent: false, ...(signal ? { signal } : {}) }, resolve)
      asked.on('error', reject)
      asked.end(body)
    })
  }

  #foreign(): Refusal {
    return new Refusal('NO_CLUSTER', `what answers at ${this.#url} is no control API of Faultline`, this.#advice)
  }

  /** Lines of JSON to their end; one that was cut off is left out. */
  async *lines<T>(path: string): AsyncGenerator<T> {
    const response = await this.#ask('GET', path)
    if (response.statusCode! >= 300) throw this.#foreign()
    for await (const line of piecesOf(response, '\n')) {
      const value = parsed<T>(line)
      if (value !== undefined) yield value
    }
  }

  /** Server-sent events until `signal` says stop or the other side ends. */
  async *events<T>(after: number, signal: AbortSignal): AsyncGenerator<T> {
    const response = await this.#ask('GET', `/events?after=${after}`, undefined, signal)
    for await (const block of piecesOf(response, '\n\n')) {
      const data = block.split('\n').find((line) => line.startsWith('data:'))
      if (data) yield JSON.parse(data.slice('data:'.length)) as T
    }
  }
}

/** What is between the marks, as it comes. */
async function* piecesOf(response: IncomingMessage, mark: string): AsyncGenerator<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
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
