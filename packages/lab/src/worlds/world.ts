// What an experiment needs of the place in which it runs: a cluster, how it is reached, and what becomes of it.
import type { ClusterControl } from '@faultline/director'

export type WorldName = 'local' | 'compose'

export interface RunningWorld {
  readonly cluster: ClusterControl
  readonly bootstrap: string
  /** Writes a log for each node into `folder`, which is there. */
  saveLogs(folder: string): Promise<void>
  /** Nothing of it is left. */
  stop(): Promise<void>
}
