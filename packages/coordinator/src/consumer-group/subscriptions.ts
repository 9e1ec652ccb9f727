// Which topics a consumer group reads: those that its members name, and those that their regular expressions stood for when they were
// resolved. And a hash of these topics, by which the group notices that they have changed (KIP-1101).
import { createHash } from 'node:crypto'
import type { Topics } from '../group/config.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'

type Resolved = ReadonlyMap<string, { readonly topics: ReadonlySet<string> }>

export function topicsOf(member: ConsumerMember, regexes: Resolved): ReadonlySet<string> {
  const resolved = regexes.get(member.subscribedTopicRegex)
  if (!resolved || resolved.topics.size === 0) return member.subscribedTopicNames
  return new Set([...member.subscribedTopicNames, ...resolved.topics])
}

export function topicsOfAll(members: Iterable<ConsumerMember>, regexes: Resolved): ReadonlySet<string> {
  const all = new Set<string>()
  for (const member of members) for (const topic of topicsOf(member, regexes)) all.add(topic)
  return all
}

export function isRead(group: ConsumerGroup, topic: string): boolean {
  for (const member of group.members.values()) if (topicsOf(member, group.regexes).has(topic)) return true
  return false
}

/** The ids of those that there are. */
export function topicIdsOf(names: ReadonlySet<string>, topics: Topics): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const name of names) {
    const id = topics.idOf(name)
    if (id !== undefined) ids.add(id)
  }
  return ids
}

/** Bytes of a hash that make a number of at most 2^53 - 1. */
const HASH_BITS = 52

/** Changes when a topic comes, goes, is made anew or gets partitions. Of no topics it is 0. */
export function metadataHash(names: ReadonlySet<string>, topics: Topics): number {
  const known = [...names].sort().flatMap((name) => {
    const id = topics.idOf(name)
    return id === undefined ? [] : [`${name}\0${id}\0${topics.partitionCountOf(name)}`]
  })
  if (known.length === 0) return 0
  const hex = createHash('sha256').update(known.join('\0')).digest('hex')
  return Number.parseInt(hex.slice(0, HASH_BITS / 4), 16)
}
