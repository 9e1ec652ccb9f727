// A fault as a node is told of it: what to do, to whom, and when. The director has resolved which nodes it concerns, and holds its time to
// live; the node decides each occasion, in the step in which it arises.

/** Families that act inside a node. The others (process, link, load) act on it from outside. */
export type NodeFamily = 'protocol' | 'storage' | 'clock' | 'point' | 'watch'

/** Which occasions: everything that is named must match. */
export interface Selector {
  /** Names of APIs, as in "Produce". */
  readonly apis?: readonly string[]
  readonly topic?: string
  readonly partition?: number
  readonly group?: string
  readonly transactionalId?: string
  readonly clientId?: string
  /** Kinds of file: log, index, checkpoint, snapshot, raft. */
  readonly file?: string
  /** A failpoint's name. */
  readonly point?: string
}

/** When, of the occasions that match, in all nodes that are armed with it. */
export interface Trigger {
  /** Only this one, counted from 1. */
  readonly nth?: number
  readonly every?: number
  /** Each with this chance, drawn from `seed`. */
  readonly probability?: number
  readonly seed?: number
  /** Each time that this becomes true, one occasion is hit: the next that matches. */
  readonly when?: string
  /** What it waits for is watched by others alone: the director says how often it has become true. */
  readonly told?: boolean
  /** Not before another fault has hit so often. */
  readonly after?: { readonly fault: string; readonly hits: number }
}

export type Parameter = string | number | boolean

export interface NodeFault {
  readonly id: string
  readonly family: NodeFamily
  /** One of its family: "lose-reply", "full", "step". */
  readonly kind: string
  readonly where: Selector
  readonly trigger: Trigger
  /** It is spent after so many hits in all nodes together; null: never. */
  readonly count: number | null
  /** Hits are counted, nothing is done. */
  readonly observe: boolean
  /** What the kind needs to know. */
  readonly parameters: Readonly<Record<string, Parameter>>
}
