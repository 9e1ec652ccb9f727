// Faults that act inside nodes: armed over their management planes, on one node or on all brokers.
import { Refusal } from '@faultline/base'
import type { NodeFamily, NodeFault } from '@faultline/fault'
import type { Fleet } from '../fleet.ts'
import type { Begun, BeginContext } from './family.ts'
import { bad, type FaultRequest } from './fault-request.ts'

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

/** On `names`; or on every one of them that runs, or comes later. */
export async function armNodes(fault: NodeFault, names: readonly string[], { fleet, again }: BeginContext): Promise<Begun> {
  const armed = await Promise.all(names.map((name) => armOne(fault, name, fleet)))
  if (names.length === 1 && !armed[0] && !again)
    throw new Refusal('NODE_FAILED', `${names[0]} does not answer`, 'look at: npx faultline nodes')
  const disarm = async () => {
    await Promise.all(names.map((name) => fleet.manage(name, { verb: 'disarm', id: fault.id })))
  }
  return {
    nodes: names,
    armed: (name) => (names.includes(name) ? fault : undefined),
    heal: disarm,
  }
}

async function armOne(fault: NodeFault, name: string, fleet: Fleet): Promise<boolean> {
  const reply = await fleet.manage<{ armed?: true; error?: string }>(name, { verb: 'arm', fault })
  if (reply?.error) throw bad(reply.error)
  return reply !== undefined
}
