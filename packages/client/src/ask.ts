// Asks a leader or a coordinator until there is an answer that no retry changes.
import { type Api, Errors, isRetriable, type RequestInput, type ResponseOf } from '@faultline/protocol'
import type { ClusterClient, CoordinatorKind } from './cluster-client.ts'
import { type Connection, Disconnected } from './connection.ts'

const RETRY_MS = 50

/** Nobody wants the answer any more. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned'
}

export interface Asking<A extends Api> {
  readonly client: ClusterClient
  readonly api: A
  readonly version: number
  readonly request: RequestInput<A>
  /** The error that decides whether to ask again. */
  readonly errorOf: (response: ResponseOf<A>) => number
  /** True: it throws Abandoned instead of asking again. */
  readonly abandoned: () => boolean
}

/** Errors that a client asks again about, though some of them are not retriable by the letter. */
function isPassing(code: number): boolean {
  return isRetriable(code) || code === Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND
}

export function askCoordinator<A extends Api>(kind: CoordinatorKind, key: string, asking: Asking<A>): Promise<ResponseOf<A>> {
  const { client } = asking
  return askUntilAnswered(
    asking,
    () => client.coordinator(kind, key),
    () => client.forgetCoordinator(kind, key),
  )
}

export function askLeader<A extends Api>(topic: string, partition: number, asking: Asking<A>): Promise<ResponseOf<A>> {
  const { client } = asking
  return askUntilAnswered(
    asking,
    () => client.leader(topic, partition),
    () => client.forget(topic),
  )
}

async function askUntilAnswered<A extends Api>(
  { client, api, version, request, errorOf, abandoned }: Asking<A>,
  whom: () => Promise<Connection | undefined>,
  forget: () => void,
): Promise<ResponseOf<A>> {
  for (;;) {
    const connection = await whom()
    try {
      const response = connection && (await connection.request(api, version, request))
      if (response && !isPassing(errorOf(response))) return response
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
    }
    if (abandoned()) throw new Abandoned(`${api.name} was abandoned`)
    forget()
    await client.pause(RETRY_MS)
  }
}
