// Mistakes planted in consumer groups, each of which the checker of the workload must find; and without one it finds nothing.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ConsumerWorkload } from './workload.ts'

const SEEDS = 40
const STEPS = 400

async function firstViolation(): Promise<string | undefined> {
  vi.resetModules()
  const { GroupCoordinator } = await import('../../src/group/group-coordinator.ts')
  for (let seed = 1; seed <= SEEDS; seed++) {
    const workload = await new ConsumerWorkload({ seed, steps: STEPS, Coordinator: GroupCoordinator }).run()
    if (workload.violations.length > 0) return workload.violations[0]
  }
  return undefined
}

const MOCKED = ['group-plan', 'fence', 'consumer-group', 'reconcile', 'check-offsets', 'member-timers']

afterEach(() => {
  for (const file of MOCKED) vi.doUnmock(`../../src/consumer-group/${file}.ts`)
  vi.resetModules()
})

describe('the checker', () => {
  it('finds nothing wrong, and has seen everything', async () => {
    const counts: Record<string, number> = {}
    for (let seed = 1; seed <= SEEDS; seed++) {
      const workload = await new ConsumerWorkload({ seed, steps: STEPS }).run()
      expect([seed, workload.violations]).toEqual([seed, []])
      for (const [what, count] of Object.entries(workload.counts)) counts[what] = (counts[what] ?? 0) + count
    }
    const beats = [0, 15, 25, 110, 111].map((error) => `heartbeat ${error}`)
    const commits = [0, 25, 113].map((error) => `commit ${error}`)
    for (const what of [...beats, ...commits, 'join 0', 'join 79', 'sync 0', 'leave -2 0', 'failover', 'records lost'])
      expect([what, counts[what]]).toEqual([what, expect.any(Number)])
  })

  it('finds an epoch that is not bumped', async () => {
    vi.doMock('../../src/consumer-group/group-plan.ts', async (original) => ({
      ...(await original<typeof import('../../src/consumer-group/group-plan.ts')>()),
      bumpEpoch: ({ group }: { group: { epoch: number } }) => group.epoch,
    }))
    expect(await firstViolation()).toMatch(/in the end/)
  })

  it('finds a partition that is given before it was released', async () => {
    vi.doMock('../../src/consumer-group/consumer-group.ts', async (original) => {
      const { ConsumerGroup } = await original<typeof import('../../src/consumer-group/consumer-group.ts')>()
      class Generous extends ConsumerGroup {
        override isFree(): boolean {
          return true
        }
      }
      return { ConsumerGroup: Generous }
    })
    expect(await firstViolation()).toMatch(/was given to m\d+ while .* had it/)
  })

  it('finds a revocation that is taken for done before the member said so', async () => {
    vi.doMock('../../src/consumer-group/reconcile.ts', async (original) => {
      const { reconcile } = await original<typeof import('../../src/consumer-group/reconcile.ts')>()
      const hasty: typeof reconcile = (member, step) => reconcile(member, { ...step, owned: [] })
      return { reconcile: hasty }
    })
    expect(await firstViolation()).toMatch(/was given to .* while .* had it/)
  })

  it('finds sessions that do not end for static members', async () => {
    vi.doMock('../../src/consumer-group/fence.ts', async (original) => {
      const fence = await original<typeof import('../../src/consumer-group/fence.ts')>()
      const fenceSilent: typeof fence.fenceSilent = (shard, groupId, memberId, reason) => {
        if (shard.consumerGroups.get(groupId)?.members.get(memberId)?.instanceId === null)
          return fence.fenceSilent(shard, groupId, memberId, reason)
        return true
      }
      return { ...fence, fenceSilent }
    })
    expect(await firstViolation()).toMatch(/is in the group although it was silent|in the end/)
  })

  it('finds heartbeats that do not count', async () => {
    vi.doMock('../../src/consumer-group/member-timers.ts', async (original) => {
      const timers = await original<typeof import('../../src/consumer-group/member-timers.ts')>()
      const keepConsumerSession: typeof timers.keepConsumerSession = (shard, group, member) => {
        if (!timers.timersOf(shard, group, member.id).session.pending) timers.keepConsumerSession(shard, group, member)
      }
      return { ...timers, keepConsumerSession }
    })
    expect(await firstViolation()).toMatch(/was well \d+ ms ago and is unknown now|was given to .* while .* had it/)
  })

  it('finds members who give nothing up and stay', async () => {
    vi.doMock('../../src/consumer-group/member-timers.ts', async (original) => {
      const timers = await original<typeof import('../../src/consumer-group/member-timers.ts')>()
      const followRevocation: typeof timers.followRevocation = (shard, group, _, member) =>
        timers.timersOf(shard, group, member.id).rebalance.clear()
      return { ...timers, followRevocation }
    })
    expect(await firstViolation()).toMatch(/with what it was to give up \d+ ms ago/)
  })

  it('finds offsets that a fenced epoch commits', async () => {
    vi.doMock('../../src/consumer-group/check-offsets.ts', async (original) => ({
      ...(await original<typeof import('../../src/consumer-group/check-offsets.ts')>()),
      checkConsumerCommit: () => 0,
    }))
    expect(await firstViolation()).toMatch(/committed .*, which .* was given since/)
  })
})
