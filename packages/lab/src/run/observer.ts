// The client by which a run looks at its cluster: nothing of the load goes through it.
import type { ClusterClient } from '@faultline/client'
import { socketClient } from '@faultline/node'
import { clientIdOf } from '../workloads/client-ids.ts'

export function observerOf(bootstrap: string): ClusterClient {
  return socketClient(bootstrap.split(','), clientIdOf('observer'))
}
