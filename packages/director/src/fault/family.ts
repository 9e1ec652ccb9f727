// What a family of faults is to the director: kinds with their parameters, and how one begins and ends.
import type { NodeFault } from '@faultline/fault'
import type { Fleet } from '../fleet.ts'
import type { FaultRequest } from './fault-request.ts'

export interface Parameter {
  readonly name: string
  readonly what: string
  readonly default?: string | number | boolean
  /** Of numbers: none below, or above. */
  readonly min?: number
  readonly max?: number
  /** Where only some words make sense. */
  readonly oneOf?: readonly string[]
}

export interface Kind {
  readonly kind: string
  /** What happens, in one line. */
  readonly what: string
  readonly parameters: readonly Parameter[]
}

/** A fault that has begun. */
export interface Begun {
  /** Names of the nodes that it acts in or on. */
  readonly nodes: readonly string[]
  /** What each of them is armed with: a node that starts again gets it again. */
  readonly armed?: (node: string) => NodeFault | undefined
  /** What it watches for has come about, in this node if it was in one. */
  readonly onNotice?: (node: string | undefined) => void
  /** It acts from here, once for each moment: its count is one of moments. */
  readonly actsHere?: boolean
  /** Spent: it does nothing more. */
  readonly retire?: () => Promise<void>
  /** What it did stays when it is spent (a process that was killed), and is undone when it is healed. Else both is the same. */
  readonly lasts?: boolean
  /** Ends it, and undoes what it did. */
  readonly heal: () => Promise<void>
}

export type Claim = 'shared' | 'exclusive'

export interface BeginContext {
  readonly id: string
  readonly fleet: Fleet
  /** It has begun before: the director was started again. */
  readonly again: boolean
  /** The name of the node that a person named, or that had the role when the fault began. */
  readonly named: (selector: string) => Promise<string>
  /** Names of the nodes that it has ended or stopped. */
  readonly struck: Set<string>
  /** Refuses when another fault has one of `things` ("link NAME") and one of both wants it alone: they would contradict each other. */
  readonly claim: (things: readonly string[], how: Claim) => void
  /** A family that acts from outside tells its own hits. */
  readonly hit: (fields: Readonly<Record<string, unknown>>) => void
  /** A moment that was noticed, and could not be used: it does not count, the next one is tried. */
  readonly miss: (fields: Readonly<Record<string, unknown>>) => void
  /** Of what takes its time: how far it is. */
  readonly progress: (fields: Readonly<Record<string, unknown>>) => void
  /** It is over by itself. */
  readonly over: () => void
}

export interface FaultFamily {
  readonly family: string
  readonly kinds: readonly Kind[]
  /** What it can choose by. */
  readonly selectors: readonly (keyof FaultRequest['where'])[]
  /** It acts from outside at once when it begins: so it begins when what it is to come after has hit. */
  readonly beginsAfter?: boolean
  /** Throws Refusal for what it makes no sense to ask for. */
  check?(request: FaultRequest): void
  /** Throws Refusal for what cannot be done where this cluster runs, whenever it is to begin. */
  checkWorld?(request: FaultRequest, fleet: Fleet): void
  /** Throws Refusal when it cannot be done now. */
  begin(request: FaultRequest, context: BeginContext): Promise<Begun>
}
