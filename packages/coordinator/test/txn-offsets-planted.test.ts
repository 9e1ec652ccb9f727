// Random commits of positions: what replay gives, and mistakes planted in the group coordinator that the checker must find.
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { GroupShard } from '../src/group/group-shard.ts'
import { TestLog, World } from './support.ts'
import { readLog, TxnOffsetsWorkload } from './txn-offsets-workload.ts'

const SEEDS = 20
const STEPS = 300

async function firstViolation(): Promise<string | undefined> {
  vi.resetModules()
  const { GroupCoordinator } = await import('../src/group/group-coordinator.ts')
  for (let seed = 1; seed <= SEEDS; seed++) {
    const workload = await new TxnOffsetsWorkload({ seed, steps: STEPS, Coordinator: GroupCoordinator }).run()
    if (workload.violations.length > 0) return workload.violations[0]
  }
  return undefined
}

type Offsets = typeof import('../src/group/transactional-offsets.ts').TransactionalOffsets

function plant(change: (original: Offsets) => Offsets): void {
  vi.doMock('../src/group/transactional-offsets.ts', async (importOriginal) => {
    const { TransactionalOffsets } = await importOriginal<{ TransactionalOffsets: Offsets }>()
    return { TransactionalOffsets: change(TransactionalOffsets) }
  })
}

afterEach(() => {
  vi.doUnmock('../src/group/transactional-offsets.ts')
  vi.doUnmock('../src/group/check-commit.ts')
  vi.resetModules()
})

const WRONG = /partition \d is at -?\d+, stable/

describe('the checker of positions in transactions', () => {
  it('finds nothing wrong, and has seen everything', async () => {
    const counts: Record<string, number> = {}
    for (let seed = 1; seed <= SEEDS; seed++) {
      const workload = await new TxnOffsetsWorkload({ seed, steps: STEPS }).run()
      expect([seed, workload.violations]).toEqual([seed, []])
      for (const [what, count] of Object.entries(workload.counts)) counts[what] = (counts[what] ?? 0) + count
    }
    const seen = [
      'commit 0',
      'commit 22',
      'commit 15',
      'plain 0',
      'end 0',
      'end 19',
      'delete 0',
      'join 0',
      'failover',
      'records lost',
    ]
    for (const what of seen) expect([what, counts[what]]).toEqual([what, expect.any(Number)])
  })

  it('finds offsets that a fenced generation commits in a transaction', async () => {
    vi.doMock('../src/group/check-commit.ts', async (importOriginal) => ({
      ...(await importOriginal<object>()),
      checkTransactionalCommit: () => 0,
    }))
    expect(await firstViolation()).toMatch(/generation \d+ committed in a transaction after \d+ was known/)
  })

  it('finds transactions whose end counts for what was written later', async () => {
    plant(
      (Original) =>
        class extends Original {
          override supersede(): void {}
        },
    )
    expect(await firstViolation()).toMatch(WRONG)
  })

  it('finds aborted positions that count', async () => {
    plant(
      (Original) =>
        class extends Original {
          override end(producerId: number, _: boolean, offsets: Parameters<InstanceType<Offsets>['end']>[2]): void {
            super.end(producerId, true, offsets)
          }
        },
    )
    expect(await firstViolation()).toMatch(WRONG)
  })

  it('finds positions that are told although they may change', async () => {
    plant(
      (Original) =>
        class extends Original {
          override has(): boolean {
            return false
          }
        },
    )
    expect(await firstViolation()).toMatch(WRONG)
  })

  it('finds positions that come back after they were deleted', async () => {
    plant(
      (Original) =>
        class extends Original {
          override forget(): void {}
        },
    )
    expect(await firstViolation()).toMatch(WRONG)
  })
})

/** Everything that a shard knows of positions. */
function facts({ offsets, transactionalOffsets, groups }: GroupShard) {
  return {
    groups: [...groups.keys()],
    offsets: [...offsets.groups].map((g) => [g, [...offsets.topicsOf(g)].map(([t, p]) => [t, [...p].sort()])]),
    open: [...transactionalOffsets.all()].map((p) => ({ ...p })),
  }
}

describe('replay of positions in transactions', () => {
  it.each(Array.from({ length: 12 }, (_, i) => i + 100))(
    'of every prefix gives what the live coordinator had (seed %i)',
    async (seed) => {
      let shard = await new World().shard()
      let log: TestLog | undefined
      let at = 0
      const afterStep = async (world: World) => {
        if (log !== world.log) [shard, log, at] = [await new World().shard(), world.log, 0]
        for (; at < log.entries.length; at++) {
          const entry = log.entries[at]!
          if ('committed' in entry) shard.endTransaction(entry.producerId, entry.committed)
          else shard.replay(entry, entry.producerId)
        }
        if (log.highWatermark < at) return
        expect(facts(shard)).toEqual(facts(await world.shard()))
      }
      await new TxnOffsetsWorkload({ seed, steps: 200, afterStep }).run()
    },
  )

  it('reads a log as it should be read', async () => {
    const world = new World()
    const { log } = world
    expect(readLog(log.entries, 0)).toEqual({ offset: -1, open: new Set() })
    await world.commitError('', -1, 4)
    expect(readLog(log.entries, 0)).toEqual({ offset: 4, open: new Set() })
  })
})
