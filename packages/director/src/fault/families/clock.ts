// Faults of clocks act in any node, until they are healed.
import { armNodes, nodeFault } from '../node-faults.ts'
import type { FaultFamily } from '../family.ts'
import { bad } from '../fault-request.ts'

/** A century. */
const MAX_STEP_MS = 100 * 365 * 86_400_000

export const clock: FaultFamily = {
  family: 'clock',
  selectors: [],
  kinds: [
    {
      kind: 'step',
      what: 'the wall clock jumps; timers go on',
      parameters: [{ name: 'ms', what: 'how far, back with a minus', default: 60_000, min: -MAX_STEP_MS }],
    },
    {
      kind: 'drift',
      what: 'both clocks run faster or slower, and all timers',
      parameters: [{ name: 'rate', what: '2 is twice as fast', default: 2 }],
    },
    { kind: 'freeze', what: 'both clocks stand still, and no timer ends', parameters: [] },
  ],
  check(request) {
    if (request.nth ?? request.every ?? request.probability ?? (request.when === undefined ? request.count : undefined))
      throw bad('a clock has no occasions to choose or count', 'use --when, --in, --after or --ttl')
    if (request.kind === 'drift' && Number(request.with['rate'] ?? 2) <= 0)
      throw bad('a clock that drifts runs forward', 'use a rate above 0, or freeze')
  },
  async begin(request, context) {
    const { kind, when, after } = request
    const everybody = [...context.fleet.namesOf('broker'), ...context.fleet.namesOf('controller')]
    const names = request.node === undefined ? everybody : [await context.named(request.node)]
    if (kind !== 'step' && when === undefined && after === undefined)
      context.claim(
        names.map((name) => `the clock of ${name}`),
        kind === 'freeze' ? 'exclusive' : 'shared',
      )
    const begun = await armNodes(nodeFault('clock', request.kind, context.id, request), names, context)
    return { ...begun, lasts: true }
  },
}
