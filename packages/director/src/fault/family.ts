// What a family of faults is to the director: kinds with their parameters, and how one begins and ends.
import type { NodeFault } from '@faultline/fault'
import type { Fleet } from '../fleet.ts'
import type { FaultRequest } from './fault-request.ts'

export interface Parameter {
  readonly name: string
  readonly what: string
  readonly default?: string | number | boolean
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
  /** Spent: it does nothing more, and what it did stays. Left out where that is the same as healing. */
  readonly disarm?: () => Promise<void>
  /** Ends it, and undoes what it did. */
  readonly heal: () => Promise<void>
}

export interface BeginContext {
  readonly id: string
  readonly fleet: Fleet
  /** It has begun before: the director was started again. */
  readonly again: boolean
  /** The name of the node that a person named, or that had the role when the fault began. */
  readonly named: (selector: string) => Promise<string>
  /** Names of the nodes that it has ended or stopped. */
  readonly struck: Set<string>
  /** A family that acts from outside tells its own hits. */
  readonly hit: (fields: Readonly<Record<string, unknown>>) => void
  /** A moment that was noticed, and could not be used: it does not count, the next one is tried. */
  readonly miss: (fields: Readonly<Record<string, unknown>>) => void
}

export interface FaultFamily {
  readonly family: string
  readonly kinds: readonly Kind[]
  /** Throws Refusal when this world cannot do it. */
  begin(request: FaultRequest, context: BeginContext): Promise<Begun>
}
