// Which of the protocols (assignors) that its members offer a group uses: one that all of them know, by vote.
import { decodeSubscription, MalformedError } from '@faultline/protocol'
import type { ClassicGroup } from './classic-group.ts'
import type { Member, Protocol } from './member.ts'

/** The protocolType of consumers, whose metadata a broker may read. */
export const CONSUMER = 'consumer'

/** May a member with these protocols be in the group beside those who are there? */
export function acceptsProtocols(group: ClassicGroup, protocolType: string, protocols: readonly Protocol[]): boolean {
  if (group.state === 'Empty') return protocolType !== '' && protocols.length > 0
  if (group.members.size === 0) return group.protocolType === null || group.protocolType === protocolType
  if (group.protocolType !== protocolType) return false
  const members = [...group.members.values()]
  return protocols.some(({ name }) => members.every((member) => knows(member, name)))
}

/** Each member votes for the first of its protocols that all know; the first in the first member's order wins a draw. */
export function selectProtocol(members: readonly Pick<Member, 'protocols'>[]): string | null {
  const common = members[0]!.protocols.map((p) => p.name).filter((name) => members.every((member) => knows(member, name)))
  const votes = new Map(common.map((name) => [name, 0]))
  for (const { protocols } of members) {
    const choice = protocols.find((p) => votes.has(p.name))?.name
    if (choice !== undefined) votes.set(choice, votes.get(choice)! + 1)
  }
  let chosen: string | null = null
  for (const name of common) if (chosen === null || votes.get(name)! > votes.get(chosen)!) chosen = name
  return chosen
}

function knows(member: Pick<Member, 'protocols'>, protocol: string): boolean {
  return member.protocols.some((p) => p.name === protocol)
}

/** Does a consumer in the group read this topic? Yes, where its subscription cannot be read: its offsets are not ours to forget. */
export function isSubscribed(group: ClassicGroup, topic: string): boolean {
  if (group.protocolType !== CONSUMER) return false
  return subscribedTopics(group)?.has(topic) ?? true
}

/** Undefined when a member's subscription is not in the format of consumers. */
export function subscribedTopics(group: ClassicGroup): ReadonlySet<string> | undefined {
  const topics = new Set<string>()
  try {
    for (const member of group.members.values()) {
      const metadata = member.metadataFor(group.protocolName)
      if (metadata) for (const topic of decodeSubscription(metadata).topics) topics.add(topic)
    }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return undefined
  }
  return topics
}
