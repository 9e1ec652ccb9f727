// Mistakes planted in the coordinator, each of which the checker of the workload must find; and without one it finds nothing.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Workload } from './workload.ts'

const SEEDS = 40
const STEPS = 400

async function firstViolation(): Promise<string | undefined> {
  vi.resetModules()
  const { GroupCoordinator } = await import('../src/group/group-coordinator.ts')
  for (let seed = 1; seed <= SEEDS; seed++) {
    const workload = await new Workload({ seed, steps: STEPS, Coordinator: GroupCoordinator }).run()
    if (workload.violations.length > 0) return workload.violations[0]
  }
  return undefined
}

afterEach(() => {
  vi.doUnmock('../src/group/check-commit.ts')
  vi.doUnmock('../src/group/classic-group.ts')
  vi.doUnmock('../src/group/sessions.ts')
  vi.doUnmock('../src/group/member.ts')
  vi.doUnmock('../src/runtime/commit-queue.ts')
  vi.resetModules()
})

describe('the checker', () => {
  it('finds nothing wrong, and has seen everything', async () => {
    const counts: Record<string, number> = {}
    for (let seed = 1; seed <= SEEDS; seed++) {
      const workload = await new Workload({ seed, steps: STEPS }).run()
      expect([seed, workload.violations]).toEqual([seed, []])
      for (const [what, count] of Object.entries(workload.counts)) counts[what] = (counts[what] ?? 0) + count
    }
    const seen = [
      'join 0',
      'join 79',
      'join 25',
      'join 82',
      'sync 0',
      'sync 27',
      'sync 15',
      'commit 0',
      'commit 22',
      'commit 25',
      'commit 15',
    ]
    for (const what of [...seen, 'heartbeat 0', 'heartbeat 27', 'heartbeat 25', 'fetch 0', 'failover', 'records lost'])
      expect([what, counts[what]]).toEqual([what, expect.any(Number)])
  })

  it('finds offsets that a fenced generation commits', async () => {
    vi.doMock('../src/group/check-commit.ts', () => ({ checkCommit: () => 0 }))
    expect(await firstViolation()).toMatch(/a commit of generation \d+ after \d+ was known/)
  })

  it('finds a generation that is not new', async () => {
    vi.doMock('../src/group/classic-group.ts', async (original) => ({
      ...(await original<typeof import('../src/group/classic-group.ts')>()),
      nextGeneration: (generation: number) => Math.max(generation, 1),
    }))
    expect(await firstViolation()).toMatch(/generation 1 had members/)
  })

  it('finds sessions that do not end for static members', async () => {
    vi.doMock('../src/group/sessions.ts', async (original) => {
      const sessions = await original<typeof import('../src/group/sessions.ts')>()
      const expireSession: typeof sessions.expireSession = (shard, groupId, memberId) => {
        if (shard.groups.get(groupId)?.members.get(memberId)?.instanceId === null)
          sessions.expireSession(shard, groupId, memberId)
      }
      return { ...sessions, expireSession }
    })
    expect(await firstViolation()).toMatch(/[ij]-.* is in the group although it was silent/)
  })

  it('finds heartbeats that do not count', async () => {
    vi.doMock('../src/group/member.ts', async (original) => {
      const member = await original<typeof import('../src/group/member.ts')>()
      class Deaf extends member.Member {
        override keepSession(): void {
          if (!this.session.pending || this.isNew || this.awaitingJoin || this.awaitingSync) super.keepSession()
        }
      }
      return { ...member, Member: Deaf }
    })
    expect(await firstViolation()).toMatch(/was well \d+ ms ago and is unknown now/)
  })

  it('finds answers that do not wait for the commit', async () => {
    vi.doMock('../src/runtime/commit-queue.ts', async (original) => {
      const { CommitQueue } = await original<typeof import('../src/runtime/commit-queue.ts')>()
      class Hasty extends CommitQueue {
        override add(_: number, answer: { send(): void }): void {
          answer.send()
        }
      }
      return { CommitQueue: Hasty }
    })
    expect(await firstViolation()).toMatch(/was read after \d+ was acknowledged/)
  })

  it('finds commits that took too long and are called good', async () => {
    vi.doMock('../src/runtime/commit-queue.ts', async (original) => {
      const { CommitQueue } = await original<typeof import('../src/runtime/commit-queue.ts')>()
      class Optimist extends CommitQueue {
        override add(offset: number, { send }: { send(): void }): void {
          super.add(offset, { send, fail: send })
        }
      }
      return { CommitQueue: Optimist }
    })
    expect(await firstViolation()).toMatch(/was read after \d+ was acknowledged|is unknown now/)
  })
})
