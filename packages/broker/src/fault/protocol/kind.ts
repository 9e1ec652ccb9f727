// What a kind of protocol fault is: a step around the handling of a request. It says itself when its moment has come.
import type { ArmedFault } from '@faultline/fault'
import type { Api } from '@faultline/protocol'
import type { Answer, RequestContext } from '../../api/handler.ts'
import type { Decoded, RequestSubject } from '../request-subject.ts'

export interface FaultyCall {
  readonly armed: ArmedFault
  readonly api: Api
  readonly context: RequestContext
  readonly subject: RequestSubject
  /** The request as it came. */
  readonly body: Uint8Array
  /** The moment of this fault has come: true when it is to act now. */
  readonly hit: () => boolean
  readonly connection: FaultyConnection
}

export interface FaultyConnection {
  /** Closes it at once. */
  destroy(): void
}

export type Next = (request: Decoded) => Promise<Answer<Decoded>>

export interface ProtocolKind {
  readonly kind: string
  act(call: FaultyCall, request: Decoded, next: Next): Promise<Answer<Decoded>>
}

/** An answer that never comes; when the fault is healed the connection is closed, so that its client comes anew. */
export function neverAnswered({ armed, connection }: FaultyCall): Promise<never> {
  armed.onDisarm(() => connection.destroy())
  return new Promise(() => {})
}
