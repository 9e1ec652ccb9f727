// A member as a request describes it: what has changed is written, and where that changes what the group reads, its epoch grows.
import type { CoordinatorRecord } from '../runtime/ports.ts'
import { type ConsumerMember, sameMetadata, sameNames } from './consumer-member.ts'
import { bumpEpoch, type GroupPlan, membersWith } from './group-plan.ts'
import { memberRecord, regexTombstone } from './consumer-records.ts'
import { metadataHash, topicsOfAll } from './subscriptions.ts'

export interface MemberUpdate {
  readonly epoch: number
  /** The member reads other topics than before, or will when its regular expression is resolved. */
  readonly subscriptionChanged: boolean
}

/** From `before` to `after`, who takes the place of `replaced` if there is one. */
export function updateMember(plan: GroupPlan, before: ConsumerMember, after: ConsumerMember, replaced?: string): MemberUpdate {
  const { group, records, shard } = plan
  if (!sameMetadata(before, after)) records.push(memberRecord(group.id, after))
  const regexChanged = before.subscribedTopicRegex !== after.subscribedTopicRegex
  if (regexChanged) records.push(...forgottenRegexes(plan, [before]))
  const namesChanged = !sameNames(before.subscribedTopicNames, after.subscribedTopicNames)
  let reason = namesChanged || (regexChanged && isSettled(plan, after.subscribedTopicRegex))
  let hash = group.metadataHash
  if (reason || group.hashIsStale) {
    hash = metadataHash(topicsOfAll(membersWith(group, after, replaced), group.regexes), shard.topics)
    reason ||= hash !== group.metadataHash
  }
  return {
    epoch: reason ? bumpEpoch(plan, hash) : group.epoch,
    subscriptionChanged: namesChanged || regexChanged,
  }
}

/** A regular expression that is not resolved yet changes nothing so far; no regular expression, and one that is resolved, do. */
function isSettled({ group }: GroupPlan, regex: string): boolean {
  return regex === '' || group.regexes.has(regex)
}

/** Regular expressions that nobody has any more when `leaving` have theirs no more. */
export function forgottenRegexes({ group }: GroupPlan, leaving: readonly ConsumerMember[]): CoordinatorRecord[] {
  const kept = new Set<string>()
  for (const member of group.members.values())
    if (!leaving.some(({ id }) => id === member.id)) kept.add(member.subscribedTopicRegex)
  const gone = new Set(leaving.map(({ subscribedTopicRegex }) => subscribedTopicRegex))
  return [...gone].filter((regex) => !kept.has(regex) && group.regexes.has(regex)).map((regex) => regexTombstone(group.id, regex))
}
