// Faults that act inside nodes: armed over their management planes, on one node or on all brokers.
import { Refusal } from '@faultline/base'
import type { NodeFamily, NodeFault } from '@faultline/fault'
import { beginTally, endTally } from '@faultline/node'
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

/** On `names`; or on every one of them that runs, or comes later. Occasions are counted over all of them, and over their restarts. */
export async function armNodes(fault: NodeFault, names: readonly string[], { fleet }: BeginContext): Promise<Begun> {
  const { tallyFolder } = fleet
  beginTally(tallyFolder, fault.id)
  const armed = await Promise.all(names.map((name) => armOne(fault, name, fleet))).catch((error: unknown) => {
    endTally(tallyFolder, fault.id)
    throw error
  })
  const tell = (verb: 'disarm' | 'retire') => async () => {
    await Promise.all(names.map((name) => fleet.manage(name, { verb, id: fault.id })))
  }
  const disarm = tell('disarm')
  const heal = async () => {
    endTally(tallyFolder, fault.id)
    await disarm()
  }
  if (names.length === 1 && !armed[0]) {
    await heal()
    throw new Refusal('NODE_FAILED', `${names[0]} does not answer`, 'look at: npx faultline nodes')
  }
  return { nodes: names, armed: (name) => (names.includes(name) ? fault : undefined), retire: tell('retire'), heal }
}

async function armOne(fault: NodeFault, name: string, fleet: Fleet): Promise<boolean> {
  const reply = await fleet.manage<{ armed?: true; error?: string }>(name, { verb: 'arm', fault })
  if (reply?.error) throw bad(reply.error)
  return reply !== undefined
}
