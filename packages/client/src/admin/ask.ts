// How an administrator asks: one broker or every broker, at the newest version that both sides know, again while what is wrong passes.
import { type Api, type ErrorCode, Errors, errorName, isRetriable, type RequestInput, type ResponseOf } from '@faultline/protocol'
import type { ClusterClient } from '../cluster-client.ts'
import { type Connection, Disconnected } from '../connection.ts'

const RETRY_MS = 100

/** A broker answered with an error. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  readonly code: number
  constructor(code: number, what: string) {
    super(`${errorName(code)}: ${what}`)
    this.code = code
  }
}

export function check(errorCode: number, what: string): void {
  if (errorCode !== Errors.NONE) throw new KafkaError(errorCode, what)
}

/** Rejects with Disconnected, and with UNSUPPORTED_VERSION when that broker does not serve the API. `atMost`: a version. */
export async function ask<A extends Api>(
  connection: Connection | undefined,
  api: A,
  request: RequestInput<A>,
  atMost = api.maxVersion,
): Promise<ResponseOf<A>> {
  if (!connection) throw new Disconnected('that broker is not known')
  const version = await connection.newest(api)
  if (version === undefined) throw new KafkaError(Errors.UNSUPPORTED_VERSION, `brokers do not serve ${api.name}`)
  return connection.request(api, Math.min(version, atMost), request)
}

/** A broker of which nothing could be learned, and why. */
export interface Silent {
  readonly broker: number
  readonly reason: string
}

export interface FromAll<T> {
  readonly answers: readonly T[]
  readonly silent: readonly Silent[]
}

/** What each broker answers; one that does not, or answers with an error, is named instead. */
export async function askAll<T>(client: ClusterClient, askOne: (broker: number) => Promise<T>): Promise<FromAll<T>> {
  const silent: Silent[] = []
  const answered = async (broker: number) => {
    try {
      return [await askOne(broker)]
    } catch (error) {
      silent.push({ broker, reason: reasonOf(error) })
      return []
    }
  }
  const answers = await Promise.all((await client.brokers()).map(answered))
  return { answers: answers.flat(), silent }
}

function reasonOf(error: unknown): string {
  if (error instanceof KafkaError) return errorName(error.code as ErrorCode)
  if (error instanceof Disconnected) return 'does not answer'
  throw error
}

/** Tries again for up to `patienceMs` while brokers come and go and coordinators move. */
export async function persist<T>(client: ClusterClient, patienceMs: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = client.clock.mono() + patienceMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const passes = error instanceof Disconnected || (error instanceof KafkaError && isRetriable(error.code))
      if (!passes || client.clock.mono() + RETRY_MS > deadline) throw error
    }
    await client.pause(RETRY_MS)
  }
}
