// The clocks that run for a member of a consumer group, each of which ends with the member fenced. They are only in memory: after loading
// nobody is known to be alive, and each member has one session timeout to show that it is.
import type { Deadline } from '../runtime/deadline.ts'
import type { GroupShard } from '../group/group-shard.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, MemberState } from './consumer-member.ts'
import { fenceSilent } from './fence.ts'

/** Before it is tried again to fence a member, where the log refused it. */
const RETRY_MS = 1000

export class MemberTimers {
  /** It was silent for its session timeout. */
  readonly session: Deadline
  /** It has not given up what it was told to within its rebalance timeout. */
  readonly rebalance: Deadline
  /** One that speaks the classic protocol was told to join again, and has not. */
  readonly join: Deadline
  /** One that speaks the classic protocol joined, and has not asked for its assignment. */
  readonly sync: Deadline

  constructor(deadline: (reason: string) => Deadline) {
    this.session = deadline('its session expired')
    this.rebalance = deadline('it did not give up its partitions in time')
    this.join = deadline('it did not join again in time')
    this.sync = deadline('it did not sync in time')
  }

  clear(): void {
    for (const deadline of [this.session, this.rebalance, this.join, this.sync]) deadline.clear()
  }
}

export function timersOf(shard: GroupShard, group: ConsumerGroup, memberId: string): MemberTimers {
  let timers = group.timers.get(memberId)
  if (timers) return timers
  timers = new MemberTimers((reason) => {
    const deadline = shard.context.deadline(() => {
      if (!fenceSilent(shard, group.id, memberId, reason)) deadline.set(RETRY_MS)
    })
    return deadline
  })
  group.timers.set(memberId, timers)
  return timers
}

export function keepConsumerSession(shard: GroupShard, group: ConsumerGroup, member: ConsumerMember): void {
  const timeoutMs = member.classic?.sessionTimeoutMs ?? shard.config.consumer.sessionTimeoutMs(group.id)
  timersOf(shard, group, member.id).session.set(timeoutMs)
}

/** From `before` to `after`: the rebalance timeout is counted anew with each thing to give up. */
export function followRevocation(shard: GroupShard, group: ConsumerGroup, before: ConsumerMember, after: ConsumerMember): void {
  const { rebalance } = timersOf(shard, group, after.id)
  if (after.classic !== null || after.state !== MemberState.UNREVOKED_PARTITIONS) return rebalance.clear()
  const isNew = after.assigned !== before.assigned || after.epoch !== before.epoch
  if (isNew || !rebalance.pending) rebalance.set(after.rebalanceTimeoutMs)
}

export function beginConsumerSessions(shard: GroupShard): void {
  for (const group of shard.consumerGroups.values()) {
    for (const member of group.members.values()) {
      keepConsumerSession(shard, group, member)
      const { classic, state, rebalanceTimeoutMs } = member
      if (classic === null && state === MemberState.UNREVOKED_PARTITIONS)
        timersOf(shard, group, member.id).rebalance.set(rebalanceTimeoutMs)
    }
  }
}
