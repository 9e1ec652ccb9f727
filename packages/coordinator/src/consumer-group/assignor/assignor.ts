// What a server-side assignor is: a function from members, with what they read and were to have, to what they are to have.
import type { Partitions } from '../partitions.ts'
import { range } from './range.ts'
import { uniform } from './uniform.ts'

export interface Assignee {
  readonly id: string
  readonly instanceId: string | null
  /** Ids of topics that there are. */
  readonly topics: ReadonlySet<string>
  /** Its target until now. */
  readonly target: Partitions
}

/** Every partition of a topic goes to one of the members who read it. */
export type Assignor = (members: readonly Assignee[], partitionCount: (topicId: string) => number) => Map<string, Partitions>

/** By the names of group.consumer.assignors. */
export const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniform],
  ['range', range],
])
