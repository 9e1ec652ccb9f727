// Faults of processes: a node is ended, stopped in its tracks, or started again. With a condition, in the moment in which it comes true.
import type { Fleet, ProcessVerb } from '../../fleet.ts'
import { armNodes, nodeFault } from '../node-faults.ts'
import type { Begun, BeginContext, FaultFamily } from '../family.ts'
import { bad, type FaultRequest } from '../fault-request.ts'
import { AT_POINT, beginAtPoint } from './at-point.ts'
import { vantageOf } from '../vantage.ts'

const KINDS: readonly { readonly kind: ProcessVerb; readonly what: string }[] = [
  { kind: 'kill', what: 'SIGKILL; healed, it is started again' },
  { kind: 'terminate', what: 'an orderly stop (controlled shutdown); healed, it is started again' },
  { kind: 'pause', what: 'SIGSTOP: it holds its connections and does nothing; healed, it goes on' },
  { kind: 'restart', what: 'an orderly stop, and a start' },
]

export const process: FaultFamily = {
  family: 'process',
  kinds: [...KINDS.map((kind) => ({ ...kind, parameters: [] })), ...AT_POINT],
  async begin(request, context) {
    if (AT_POINT.some((k) => k.kind === request.kind)) return beginAtPoint(request, context)
    if (request.node === undefined)
      throw bad(`process ${request.kind} needs a node`, 'use --node broker:2 or --node leader:orders-0')
    if (request.nth ?? request.every ?? request.probability)
      throw bad('nth, every and probability choose among requests: a process has none', 'use --when, --in or --after')
    const { struck } = context
    const strike = async () => {
      if (request.observe) return
      const node = await context.fleet.resolve(request.node!)
      await context.fleet.act(request.kind as ProcessVerb, node)
      struck.add(node.name)
      context.hit({ node: node.name })
    }
    const heal = () => undo(context.fleet, struck)
    if (request.when === undefined && request.after === undefined) {
      if (!context.again) await strike()
      return { nodes: [...struck], heal }
    }
    return watch(request, context, strike, heal)
  },
}

/** Until it is done, nothing leaves the node that has reported the moment; for so long at most. */
const HOLD_MS = 2000

/** Those who own the state watch it; when one reports, it is done. */
async function watch(
  request: FaultRequest,
  context: BeginContext,
  strike: () => Promise<void>,
  heal: () => Promise<void>,
): Promise<Begun> {
  const names = request.when === undefined ? [] : context.fleet.namesOf(vantageOf(request.when))
  // Its count is one of deeds, not of moments: what comes too late for one is tried again.
  const { count: _, ...uncounted } = request
  const fault = nodeFault('watch', 'notify', context.id, { ...uncounted, where: {}, with: { hold: HOLD_MS } })
  const begun = await armNodes(fault, names, context)
  return {
    ...begun,
    disarm: begun.heal,
    onNotice: (node) =>
      void strike()
        .catch((error: Error) => context.miss({ node, reason: error.message }))
        .then(() => node && context.fleet.manage(node, { verb: 'release' })),
    heal: async () => {
      await begun.heal()
      await heal()
    },
  }
}

async function undo(fleet: Fleet, struck: ReadonlySet<string>): Promise<void> {
  for (const name of struck) {
    const node = await fleet.resolve(name)
    if (node.state === 'paused') await fleet.resume(node)
    else if (node.state === 'exited') await fleet.start(node)
  }
}
