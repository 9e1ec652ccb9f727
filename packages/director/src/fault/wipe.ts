// A broker loses its disk: it comes back as a new directory, and replicates everything. Not where nobody else has what it has.
import { rmSync } from 'node:fs'
import { Refusal } from '@faultline/base'
import type { Fleet, FleetNode } from '../fleet.ts'
import { bad } from './fault-request.ts'
import { partitionsOf } from './partitions.ts'

/** Partitions that are named in a message. */
const NAMED = 5

/** Throws Refusal where disks are out of the director's reach. */
export function checkDisks(fleet: Fleet): void {
  if (fleet.nodes.some((node) => fleet.dataOf(node) === undefined))
    throw bad(
      'nodes are containers: the director does not reach their disks',
      'how to remove the volume of a broker is in docs/compose.md',
    )
}

/** `stopping` is called when it begins to be done: whatever goes wrong then, the node is to be started again. */
export async function wipe(fleet: Fleet, node: FleetNode, force: boolean, stopping: () => void): Promise<void> {
  if (node.address.role !== 'broker') throw bad(`${node.name} is no broker`, 'a controller must not forget whom it voted for')
  const folder = fleet.dataOf(node)!
  if (!force) await checkCopies(fleet, node)
  stopping()
  if (node.state !== 'exited') await fleet.act('terminate', node)
  try {
    // While it stopped, others may have fallen behind.
    if (!force) await checkCopies(fleet, node)
    rmSync(folder, { recursive: true, force: true })
  } finally {
    await fleet.start(node)
  }
}

async function checkCopies(fleet: Fleet, { name, address: { id } }: FleetNode): Promise<void> {
  const partitions = await partitionsOf(fleet)
  if (!partitions)
    throw new Refusal('UNKNOWN_NODE', 'no controller is active now to say what else has its data', 'npx faultline nodes')
  const only = partitions.filter((p) => p.replicas.includes(id) && !p.isr.some((other) => other !== id))
  if (only.length === 0) return
  const named = only.slice(0, NAMED).map((p) => p.name)
  const more = only.length > NAMED ? ` and ${only.length - NAMED} more` : ''
  throw bad(
    `no other replica is in sync with ${name} on ${named.join(', ')}${more}: what was acknowledged there would be lost`,
    'wait until others are in sync, or say --with force=true',
  )
}
