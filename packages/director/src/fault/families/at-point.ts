// A node crashes, or stops in its tracks, when its code comes to a point that has a name.
import { POINTS } from '@faultline/fault'
import type { Fleet, FleetNode } from '../../fleet.ts'
import type { Begun, BeginContext, Kind } from '../family.ts'
import { bad, type FaultRequest } from '../fault-request.ts'
import { armNodes, nodeFault } from '../node-faults.ts'

export const AT_POINT: readonly Kind[] = [
  { kind: 'crash-at-point', what: 'SIGKILL when the code comes to --point NAME; healed, it is started again', parameters: [] },
  { kind: 'pause-at-point', what: 'SIGSTOP when the code comes to --point NAME; healed, it goes on', parameters: [] },
]

export function checkAtPoint({ where: { point } }: FaultRequest): void {
  if (point === undefined || !(point in POINTS))
    throw bad(`${point ?? 'nothing'} is no point in the code`, `use --point with one of ${Object.keys(POINTS).join(', ')}`)
}

export async function beginAtPoint(request: FaultRequest, context: BeginContext): Promise<Begun> {
  const { fleet, named } = context
  const names = request.node === undefined ? fleet.namesOf('broker') : [await named(request.node)]
  if (!names.every((name) => name.startsWith('broker:')))
    throw bad(`${names[0]} never comes there`, 'all points are in brokers: use --node broker:N, or none for all')
  const kind = request.kind === 'pause-at-point' ? 'pause' : 'crash'
  const begun = await armNodes(nodeFault('point', kind, context.id, request), names, context)
  const heal = async () => {
    const victims = fleet.nodes.filter((n) => names.includes(n.name))
    // Stopped, a node answers nobody: first it goes on.
    if (kind === 'pause') for (const node of await silentOf(fleet, victims)) await fleet.resume(node)
    await begun.heal()
    for (const node of victims) if (node.state === 'exited') await fleet.start(node)
  }
  return { ...begun, lasts: true, heal }
}

/** Those that it has stopped: not whom somebody else has. */
async function silentOf(fleet: Fleet, nodes: readonly FleetNode[]): Promise<FleetNode[]> {
  const views = await Promise.all(nodes.map((node) => fleet.view(node)))
  return nodes.filter((_, i) => views[i]!.state === 'silent')
}
