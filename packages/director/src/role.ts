// Which node has a role now: "controller:active", "leader:orders-0", "follower:orders-0", "coordinator:group:NAME", "coordinator:txn:ID".
// Roles follow from the metadata, as the active controller has it.
import { Refusal } from '@faultline/base'
import { partitionOf } from '@faultline/coordinator'
import type { NodeReport } from './fleet.ts'

/** What a person may type for a node, beside its name. */
export const ROLES =
  'leader:TOPIC-PARTITION, follower:TOPIC-PARTITION, coordinator:group:NAME, coordinator:txn:ID or controller:active'

const COORDINATED = { group: '__consumer_offsets', txn: '__transaction_state' } as const

interface Partition {
  readonly leader: number
  readonly isr: readonly number[]
}

interface Topic {
  readonly name: string
  readonly partitions: readonly Partition[]
}

/** The node's name, "broker:2"; undefined when `selector` is no role. Refuses when nobody has it. */
export function holderOf(selector: string, active: NodeReport | undefined): string | undefined {
  const [kind, what, ...rest] = selector.split(':')
  if (selector === 'controller:active') return knowing(active).name
  if (kind === 'leader') return leaderOf(selector.slice('leader:'.length), active)
  if (kind === 'follower') return followerOf(selector.slice('follower:'.length), active)
  const topic = COORDINATED[what as keyof typeof COORDINATED]
  if (kind === 'coordinator' && topic !== undefined && rest.length > 0) return coordinatorOf(topic, rest.join(':'), active)
  return undefined
}

/** Refuses what is neither a node's name nor written like a role, "clients" aside; who has the role is another question. */
export function checkRole(selector: string, names: readonly string[]): void {
  const isRole = /^((leader|follower):.+-\d+|coordinator:(group|txn):.+|controller:active|clients)$/.test(selector)
  if (!isRole && !names.includes(selector)) throw noNode(selector, names)
}

export function noNode(selector: string, names: readonly string[]): Refusal {
  return new Refusal('UNKNOWN_NODE', `${selector} is no node of this cluster`, `use one of ${names.join(', ')}, ${ROLES}`)
}

function leaderOf(name: string, active: NodeReport | undefined): string {
  const { leader } = partitionNamed(name, active)
  return leader < 0 ? refuse(`${name} has no leader now`, 'topics') : `broker:${leader}`
}

/** The first in-sync replica that does not lead. */
function followerOf(name: string, active: NodeReport | undefined): string {
  const { leader, isr } = partitionNamed(name, active)
  const follower = isr.find((id) => id !== leader)
  return follower === undefined ? refuse(`nobody follows ${name} in sync now`, 'topics') : `broker:${follower}`
}

function partitionNamed(name: string, active: NodeReport | undefined): Partition {
  const dash = name.lastIndexOf('-')
  const partition = topicOf(active, name.slice(0, dash))?.partitions[Number(name.slice(dash + 1))]
  return partition ?? refuse(`there is no partition ${name}`, 'topics')
}

/** The leader of the partition that the key belongs to, whether or not there is such a group or transactional id yet. */
function coordinatorOf(name: string, key: string, active: NodeReport | undefined): string {
  const topic = topicOf(active, name)
  if (!topic) return refuse(`nobody coordinates ${key}: there is no ${name} yet`, 'groups')
  const partition = partitionOf(key, topic.partitions.length)
  const { leader } = topic.partitions[partition]!
  return leader < 0 ? refuse(`nobody coordinates ${key} now: ${name}-${partition} has no leader`, 'status') : `broker:${leader}`
}

function topicOf(active: NodeReport | undefined, name: string): Topic | undefined {
  return ((knowing(active).report?.topics ?? []) as Topic[]).find((t) => t.name === name)
}

function knowing(active: NodeReport | undefined): NodeReport {
  return active ?? refuse('no controller is active now', 'nodes')
}

function refuse(why: string, look: string): never {
  throw new Refusal('UNKNOWN_NODE', why, `look at: npx faultline ${look}`)
}
