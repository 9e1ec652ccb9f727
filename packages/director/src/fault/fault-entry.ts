// One fault in the book: what was asked for, and how far it is.
import type { Begun, Claim, FaultFamily } from './family.ts'
import type { SavedFault } from './fault-file.ts'
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
  /** Wall clock, ms. */
  beginsAt: number | undefined
  endsAt: number | undefined
  /** Hits until then are counted already. */
  readonly toldUntil: number
  timer: NodeJS.Timeout | undefined
  /** What roles meant when it began. */
  readonly named: Map<string, string>
  /** Nodes that it has ended or stopped. */
  readonly struck: Set<string>
}

export function newEntry(id: string, request: FaultRequest, family: FaultFamily): Entry {
  const beginsAt = request.in === undefined ? undefined : Date.now() + request.in
  const fresh = { id, request, state: 'waiting', hits: 0, notices: 0, lastHit: null, beginsAt, endsAt: undefined } as const
  return restoredEntry({ ...fresh, named: {}, struck: [] }, family)
}

export function restoredEntry({ named, struck, ...saved }: SavedFault, family: FaultFamily): Entry {
  return {
    ...saved,
    family,
    nodes: [],
    begun: undefined,
    matched: null,
    early: [],
    isDue: true,
    claims: new Map(),
    toldUntil: Number(saved.lastHit?.['t'] ?? 0),
    timer: undefined,
    named: new Map(Object.entries(named)),
    struck: new Set(struck),
  }
}

/** Of one that is undone. */
export function savedOf({ id, request, state, hits, notices, lastHit, beginsAt, endsAt, named, struck }: Entry): SavedFault {
  const undone = state as SavedFault['state']
  const kept = { named: Object.fromEntries(named), struck: [...struck] }
  return { id, request, state: undone, hits, notices, lastHit, beginsAt, endsAt, ...kept }
}

/** Hits after which it is spent. */
export function limitOf({ count, nth }: FaultRequest): number {
  return count ?? (nth === undefined ? Number.POSITIVE_INFINITY : 1)
}

/** Something of it is left to undo, or it is still to begin. */
export function isUndone({ state, begun }: Entry): boolean {
  return begun !== undefined || state === 'waiting' || state === 'armed'
}

/** Nothing more comes of it. */
export function isOver({ state }: Entry): boolean {
  return state === 'healed' || state === 'expired' || state === 'failed'
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
