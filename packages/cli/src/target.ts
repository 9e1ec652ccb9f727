// Which cluster a verb is for: the one of a folder, or the one whose control API is somewhere.
import { Cluster, ClusterControl } from '@faultline/director'

export interface Target {
  readonly dir: string
  /** "http://localhost:8080"; then `dir` does not count. */
  readonly at?: string
}

export function attach({ dir, at }: Target): ClusterControl {
  return at === undefined ? Cluster.attach(dir) : ClusterControl.at(at, process.env['FAULTLINE_API_TOKEN'] ?? null)
}

/** Where this program's own clients find brokers: beside the director, or from outside. */
export async function brokersOf(target: Target): Promise<string[]> {
  const { bootstrap, beside } = await attach(target).info()
  return (target.at === undefined ? beside : bootstrap).split(',')
}
