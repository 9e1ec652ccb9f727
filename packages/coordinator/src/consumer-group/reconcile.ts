// One member's way to the target assignment, a step at each heartbeat: first it gives up what it is not to have, then it takes over the
// epoch of the target, with what others have given up (KIP-848). No partition is with two members at a time.
import { type ConsumerMember, isReconciledTo, MemberState } from './consumer-member.ts'
import { contains, NOTHING_OWNED, type Owned, overlap, type Partitions, union } from './partitions.ts'

export interface Reconciliation {
  readonly targetEpoch: number
  readonly target: Partitions
  /** What the member says that it has; null when it does not say. */
  readonly owned: readonly { readonly topicId: string; readonly partitions: readonly number[] }[] | null
  /** Ids of the topics that it reads. */
  readonly topicIds: ReadonlySet<string>
  readonly subscriptionChanged: boolean
  /** Nobody has the partition, nor has to give it up yet. */
  readonly isFree: (topicId: string, partition: number) => boolean
}

export function reconcile(member: ConsumerMember, step: Reconciliation): ConsumerMember {
  if (!step.subscriptionChanged && isReconciledTo(member, step.targetEpoch)) return member
  switch (member.state) {
    case MemberState.STABLE:
      if (member.epoch !== step.targetEpoch) return nextAssignment(member, member.epoch, step)
      return dropUnsubscribed(member, step)
    case MemberState.UNREVOKED_PARTITIONS:
      if (stillOwns(member.pendingRevocation, step)) return step.subscriptionChanged ? dropUnsubscribed(member, step) : member
      return nextAssignment(member, member.epoch + 1, step)
    default:
      return nextAssignment(member, member.epoch, step)
  }
}

/** Who does not say what it has is taken to have it all. */
function stillOwns(revoked: Owned, { owned }: Reconciliation): boolean {
  return owned === null || overlap(owned, revoked)
}

/** Its target may lag behind what it reads: what it does not read any more it gives up at once (KAFKA-19431). */
function dropUnsubscribed(member: ConsumerMember, step: Reconciliation): ConsumerMember {
  const kept = new Map([...member.assigned].filter(([topicId]) => step.topicIds.has(topicId)))
  if (kept.size === member.assigned.size) return member
  const dropped = new Map([...member.assigned].filter(([topicId]) => !step.topicIds.has(topicId)))
  const pendingRevocation = union(member.pendingRevocation, dropped)
  if (!stillOwns(pendingRevocation, step)) return { ...member, assigned: kept, pendingRevocation: NOTHING_OWNED }
  const state = MemberState.UNREVOKED_PARTITIONS
  return { ...member, state, previousEpoch: member.epoch, assigned: kept, pendingRevocation }
}

function nextAssignment(member: ConsumerMember, epoch: number, step: Reconciliation): ConsumerMember {
  const { targetEpoch, topicIds } = step
  const target = new Map([...step.target].filter(([topicId]) => topicIds.has(topicId)))
  const [kept, revoked] = split(member.assigned, target)
  if (revoked.size > 0 && stillOwns(revoked, step)) {
    const state = MemberState.UNREVOKED_PARTITIONS
    return { ...member, state, epoch, previousEpoch: member.epoch, assigned: kept, pendingRevocation: revoked }
  }
  const { assigned, unreleased } = takeFree(kept, target, step)
  return {
    ...member,
    state: unreleased ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE,
    epoch: targetEpoch,
    previousEpoch: member.epoch,
    assigned,
    pendingRevocation: NOTHING_OWNED,
  }
}

/** What is in the target, and what is not. */
function split(assigned: Owned, target: Partitions): [Owned, Owned] {
  const kept = new Map<string, Map<number, number>>()
  const revoked = new Map<string, Map<number, number>>()
  for (const [topicId, partitions] of assigned) {
    for (const [partition, epoch] of partitions) {
      const part = contains(target, topicId, partition) ? kept : revoked
      if (!part.has(topicId)) part.set(topicId, new Map())
      part.get(topicId)!.set(partition, epoch)
    }
  }
  return [kept, revoked]
}

function takeFree(kept: Owned, target: Partitions, { isFree, targetEpoch }: Reconciliation) {
  const assigned = new Map<string, Map<number, number>>([...kept].map(([topicId, all]) => [topicId, new Map(all)]))
  let unreleased = false
  for (const [topicId, partitions] of target) {
    for (const partition of partitions) {
      if (contains(kept, topicId, partition)) continue
      if (!isFree(topicId, partition)) unreleased = true
      else {
        if (!assigned.has(topicId)) assigned.set(topicId, new Map())
        assigned.get(topicId)!.set(partition, targetEpoch)
      }
    }
  }
  return { assigned, unreleased }
}
