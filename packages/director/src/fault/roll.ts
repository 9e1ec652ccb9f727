// A rolling restart, as an operator does it: one node after the other, the next one only when all replicas are in sync and all voters there
// again. The active controller is the last of its kind.
import type { Fleet, FleetNode } from '../fleet.ts'
import type { BeginContext } from './family.ts'
import { partitionsOf } from './partitions.ts'

export const ROLL_TARGETS = ['brokers', 'controllers', 'all']

/** A node that is not back by then is for a person to look at. */
const BACK_MS = 120_000
const POLL_MS = 50

/** Goes on by itself until all are done, one is not back in time, or `isStopped`. Resolves with who will be restarted. */
export async function roll(
  context: BeginContext,
  target: string,
  observe: boolean,
  isStopped: () => boolean,
): Promise<readonly FleetNode[]> {
  const nodes = await inOrder(context.fleet, target)
  void rollAll(context, nodes, observe, isStopped).catch((error: Error) => {
    context.miss({ reason: `the roll stops: ${error.message}` })
    context.over()
  })
  return nodes
}

async function rollAll(
  context: BeginContext,
  nodes: readonly FleetNode[],
  observe: boolean,
  isStopped: () => boolean,
): Promise<void> {
  for (const [i, node] of nodes.entries()) {
    if (isStopped()) return
    if (!observe) {
      await untilWell(context.fleet, isStopped)
      if (isStopped()) return
      await context.fleet.act('restart', node)
      await untilWell(context.fleet, isStopped)
    }
    context.hit({ node: node.name })
    context.progress({ node: node.name, done: i + 1, of: nodes.length })
  }
  context.over()
}

async function inOrder(fleet: Fleet, target: string): Promise<FleetNode[]> {
  const reports = await fleet.reports()
  const isActive = (node: FleetNode) => reports.find((r) => r.name === node.name)?.report?.state === 'active'
  const of = (role: string) => fleet.nodes.filter((n) => n.address.role === role)
  const controllers = of('controller').sort((a, b) => Number(isActive(a)) - Number(isActive(b)))
  if (target === 'brokers') return of('broker')
  return target === 'controllers' ? controllers : [...controllers, ...of('broker')]
}

/** Every node serves and every replica is in sync; or nobody wants to know any more. */
async function untilWell(fleet: Fleet, isStopped: () => boolean): Promise<void> {
  const deadline = Date.now() + BACK_MS
  for (;;) {
    const missing = await whatIsMissing(fleet)
    if (missing === undefined || isStopped()) return
    if (Date.now() > deadline) throw new Error(`${missing} after ${BACK_MS / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

async function whatIsMissing(fleet: Fleet): Promise<string | undefined> {
  const views = await fleet.views()
  const serving = { broker: ['running'], controller: ['active', 'follower'] }
  const away = views.find(({ role, state }) => !serving[role].includes(state))
  if (away) return `${away.name} is ${away.state}`
  const partitions = await partitionsOf(fleet)
  if (!partitions) return 'no controller is active'
  const behind = partitions.find((p) => p.isr.length < p.replicas.length)
  return behind && `${behind.name} has ${behind.isr.length} of ${behind.replicas.length} replicas in sync`
}
