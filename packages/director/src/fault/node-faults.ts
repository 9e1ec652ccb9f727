// Faults that act inside nodes: armed over their management planes, on one node or on several. Occasions are counted over all of them, and
// over their restarts. A condition is watched by all who may own it, wherever the fault acts.
import { Refusal } from '@faultline/base'
import type { NodeFamily, NodeFault } from '@faultline/fault'
import { beginTally, endTally } from '@faultline/node'
import type { Fleet } from '../fleet.ts'
import type { Begun, BeginContext } from './family.ts'
import { bad, type FaultRequest } from './fault-request.ts'
import { vantageOf } from './vantage.ts'

/** Until what is to follow has been done, nothing leaves the node that has reported a moment; for so long at most. */
export const HOLD_MS = 2000

export function nodeFault(family: NodeFamily, kind: string, id: string, request: FaultRequest): NodeFault {
  const { where, when, nth, every, probability, seed, after, count, observe } = request
  const trigger = { when, nth, every, probability, seed, after }
  return {
    id,
    family,
    kind,
    where: where as NodeFault['where'],
    trigger: JSON.parse(JSON.stringify(trigger)) as NodeFault['trigger'],
    count: count ?? null,
    observe,
    parameters: request.with,
  }
}

/** On `names`: those that run, and those that come later. */
export async function armNodes(fault: NodeFault, names: readonly string[], { fleet, again }: BeginContext): Promise<Begun> {
  const faults = new Map(names.map((name) => [name, fault]))
  const watchers = watchersOf(fault, names, fleet)
  for (const [name, watch] of watchers) faults.set(name, watch)
  // Who owns nothing of what it waits for waits until it is told.
  const { when, ...trigger } = fault.trigger
  const told = { ...fault, trigger: { ...trigger, told: true } }
  if (when !== undefined && !names.some((name) => name.startsWith(`${vantageOf(when)}:`)))
    for (const name of names) faults.set(name, told)

  const tell = (verb: 'disarm' | 'retire') => async () => {
    await Promise.all([...faults.keys()].map((name) => fleet.manage(name, { verb, id: fault.id })))
  }
  const disarm = tell('disarm')
  const heal = async () => {
    endTally(fleet.tallyFolder, fault.id)
    await disarm()
  }
  // What was counted before the director was started again, counts.
  if (!again) beginTally(fleet.tallyFolder, fault.id)
  try {
    const armed = await Promise.all([...faults].map(([name, one]) => armOne(one, name, fleet)))
    if (names.length === 1 && !armed[0] && !again)
      throw new Refusal('NODE_FAILED', `${names[0]} does not answer`, 'look at: npx faultline nodes')
  } catch (error) {
    await heal()
    throw error
  }
  return {
    nodes: names,
    armed: (name) => faults.get(name),
    onNotice: telling(fault.id, names, fleet),
    retire: tell('retire'),
    heal,
  }
}

/** Other nodes that may own what the fault waits for, with what they are armed with: they say when it has come. */
function watchersOf({ id, family, trigger: { when } }: NodeFault, names: readonly string[], fleet: Fleet): [string, NodeFault][] {
  if (when === undefined || family === 'watch') return []
  const others = fleet.namesOf(vantageOf(when)).filter((name) => !names.includes(name))
  const parameters = { hold: HOLD_MS }
  const watch = {
    id,
    family: 'watch',
    kind: 'notify',
    where: {},
    trigger: { when },
    count: null,
    observe: false,
    parameters,
  } as const
  return others.map((name) => [name, watch])
}

/** Each moment is passed on to those who act; until then nothing leaves the node that has seen it. */
function telling(id: string, names: readonly string[], fleet: Fleet): Begun['onNotice'] {
  let times = 0
  return (node) => {
    times++
    void Promise.all(names.map((name) => fleet.manage(name, { verb: 'owe', id, times }))).then(
      () => node && fleet.manage(node, { verb: 'release' }),
    )
  }
}

async function armOne(fault: NodeFault, name: string, fleet: Fleet): Promise<boolean> {
  const reply = await fleet.manage<{ armed?: true; error?: string }>(name, { verb: 'arm', fault })
  if (reply?.error) throw bad(reply.error)
  return reply !== undefined
}
