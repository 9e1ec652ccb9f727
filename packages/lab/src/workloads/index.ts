// Every kind of workload, in one file each.
import type { Workload } from '../experiment/schema.ts'
import { startApp } from './app.ts'
import { startBank } from './bank.ts'
import { startGroup } from './group.ts'
import { startMixed } from './mixed.ts'
import { startProducer } from './producer.ts'
import { startTransform } from './transform.ts'
import type { RunningWorkload, WorkloadContext } from './workload.ts'

/** Its name is unique in a run: it is a client id, and who sent or read what. */
export async function startWorkload(workload: Workload, name: string, context: WorkloadContext): Promise<RunningWorkload> {
  switch (workload.kind) {
    case 'producer':
      return startProducer(workload, name, context)
    case 'group':
      return startGroup(workload, name, context)
    case 'transform':
      return startTransform(workload, name, context)
    case 'mixed':
      return startMixed(workload, name, context)
    case 'bank':
      return startBank(workload, name, context)
    case 'app':
      return startApp(workload, context)
  }
}

export { Copy, type CopyEnd, type Deed } from './app.ts'
export type { RunningWorkload, WorkloadContext } from './workload.ts'
