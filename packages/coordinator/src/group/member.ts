// One member of a classic group. What the group's record says of it survives a failover; the rest is forgotten there.
import type { GroupMetadataValue, joinGroup, ResponseInput, syncGroup } from '@faultline/protocol'
import type { Deadline } from '../runtime/deadline.ts'

export type JoinAnswer = ResponseInput<typeof joinGroup>
export type SyncAnswer = ResponseInput<typeof syncGroup>
export type MemberRecord = GroupMetadataValue['members'][number]

export interface Protocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface MemberOptions {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocols: readonly Protocol[]
}

export const NO_ASSIGNMENT = new Uint8Array(0)

export class Member {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Runs out when the member has been silent for too long. */
  readonly session: Deadline
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** In the order that it prefers. */
  protocols: readonly Protocol[]
  assignment: Uint8Array = NO_ASSIGNMENT
  /** Has not been told its member id by a completed join: it cannot send heartbeats. */
  isNew = false
  awaitingJoin: ((answer: JoinAnswer) => void) | undefined
  awaitingSync: ((answer: SyncAnswer) => void) | undefined

  constructor(options: MemberOptions, session: Deadline) {
    this.id = options.id
    this.instanceId = options.instanceId
    this.clientId = options.clientId
    this.clientHost = options.clientHost
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs
    this.sessionTimeoutMs = options.sessionTimeoutMs
    this.protocols = options.protocols
    this.session = session
  }

  metadataFor(protocol: string | null): Uint8Array | undefined {
    return this.protocols.find((p) => p.name === protocol)?.metadata
  }

  /** The same protocols with the same bytes, in the same order. */
  hasProtocols(protocols: readonly Protocol[]): boolean {
    return (
      this.protocols.length === protocols.length &&
      this.protocols.every((own, i) => own.name === protocols[i]!.name && sameBytes(own.metadata, protocols[i]!.metadata))
    )
  }

  keepSession(): void {
    this.session.set(this.sessionTimeoutMs)
  }

  answerJoin(answer: JoinAnswer): void {
    const reply = this.awaitingJoin
    this.awaitingJoin = undefined
    reply?.(answer)
  }

  /** True when it was waiting. */
  answerSync(answer: SyncAnswer): boolean {
    const reply = this.awaitingSync
    this.awaitingSync = undefined
    reply?.(answer)
    return reply !== undefined
  }

  toRecord(protocol: string | null): MemberRecord {
    return {
      memberId: this.id,
      groupInstanceId: this.instanceId,
      clientId: this.clientId,
      clientHost: this.clientHost,
      rebalanceTimeout: this.rebalanceTimeoutMs,
      sessionTimeout: this.sessionTimeoutMs,
      subscription: this.metadataFor(protocol) ?? new Uint8Array(0),
      assignment: this.assignment,
    }
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
