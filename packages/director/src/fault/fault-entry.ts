// One fault in the book: what was asked for, and how far it is.
import type { Begun, Claim, FaultFamily } from './family.ts'
import type { FaultRequest } from './fault-request.ts'

export type FaultState = 'waiting' | 'armed' | 'spent' | 'healed' | 'expired' | 'failed'

export interface FaultView {
  readonly id: string
  readonly family: string
  readonly kind: string
  readonly state: FaultState
  readonly nodes: readonly string[]
  readonly hits: number
  /** Occasions that its selectors matched, hit or not, in nodes that run; null where it does not choose among any. */
  readonly matched: number | null
  /** The last hit's time and object. */
  readonly lastHit: Readonly<Record<string, unknown>> | null
  /** Null without a time to live, or when it is over. */
  readonly ttlLeftMs: number | null
  readonly request: FaultRequest
}

export interface Entry {
  readonly id: string
  readonly request: FaultRequest
  readonly family: FaultFamily
  state: FaultState
  nodes: readonly string[]
  /** Undefined when nothing of it is left to undo. */
  begun: Begun | undefined
  hits: number
  matched: number | null
  /** Moments that it has acted on. */
  notices: number
  /** Nodes that told of a moment before all of them were armed. */
  readonly early: string[]
  /** False while it waits for another fault before it begins. */
  isDue: boolean
  /** What it has, alone or with others. */
  readonly claims: Map<string, Claim>
  lastHit: Readonly<Record<string, unknown>> | null
  endsAt: number | undefined
  timer: NodeJS.Timeout | undefined
}

export function newEntry(id: string, request: FaultRequest, family: FaultFamily): Entry {
  return {
    id,
    request,
    family,
    state: 'waiting',
    nodes: [],
    begun: undefined,
    hits: 0,
    matched: null,
    notices: 0,
    early: [],
    isDue: true,
    claims: new Map(),
    lastHit: null,
    endsAt: undefined,
    timer: undefined,
  }
}

/** Hits after which it is spent. */
export function limitOf({ count, nth }: FaultRequest): number {
  return count ?? (nth === undefined ? Number.POSITIVE_INFINITY : 1)
}

/** Something of it is left to undo, or it is still to begin. */
export function isUndone({ state, begun }: Entry): boolean {
  return begun !== undefined || state === 'waiting' || state === 'armed'
}

export function isOpen({ state }: Entry): boolean {
  return state === 'armed' || state === 'waiting'
}

export function viewOf(entry: Entry): FaultView {
  const { id, request, state, begun, nodes, hits, matched, lastHit, endsAt } = entry
  return {
    id,
    family: request.family,
    kind: request.kind,
    state,
    nodes: begun?.nodes ?? nodes,
    hits,
    matched,
    lastHit,
    ttlLeftMs: endsAt === undefined ? null : Math.max(0, endsAt - Date.now()),
    request,
  }
}
