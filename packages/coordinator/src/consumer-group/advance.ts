// What each request of a member does, in whichever protocol it comes: the member is updated, then the target, then the member goes a step
// towards it.
import { type ConsumerMember, sameAssignment } from './consumer-member.ts'
import { assignmentRecord } from './consumer-records.ts'
import type { GroupPlan } from './group-plan.ts'
import { reconcile, type Reconciliation } from './reconcile.ts'
import { topicIdsOf, topicsOf } from './subscriptions.ts'
import { updateTarget } from './target.ts'
import { updateMember } from './update-member.ts'

export interface Advance {
  /** The member as it is in the group, or as it would be that. */
  readonly before: ConsumerMember
  /** With what the request says of it. */
  readonly after: ConsumerMember
  readonly owned: Reconciliation['owned']
  /** The id of the static member whose place it takes. */
  readonly replaced: string | undefined
}

export function advance(plan: GroupPlan, { before, after, owned, replaced }: Advance): ConsumerMember {
  const { group, records, shard } = plan
  const { epoch, subscriptionChanged } = updateMember(plan, before, after, replaced)
  const target = updateTarget(plan, after, epoch, replaced)
  const next = reconcile(after, {
    targetEpoch: target.epoch,
    target: target.partitions,
    owned,
    topicIds: topicIdsOf(topicsOf(after, group.regexes), shard.topics),
    subscriptionChanged,
    isFree: (topicId, partition) => group.isFree(topicId, partition),
  })
  if (!sameAssignment(after, next)) records.push(assignmentRecord(group.id, next))
  return next
}
