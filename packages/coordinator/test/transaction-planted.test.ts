// Mistakes planted in the transaction coordinator, each of which the checker must find; and without one it finds nothing.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TransactionWorkload } from './transaction-workload.ts'

const SEEDS = 60
const STEPS = 400

async function firstViolation(): Promise<string | undefined> {
  vi.resetModules()
  const { TransactionCoordinator } = await import('../src/transaction/transaction-coordinator.ts')
  for (let seed = 1; seed <= SEEDS; seed++) {
    const workload = await new TransactionWorkload({ seed, steps: STEPS, Coordinator: TransactionCoordinator }).run()
    if (workload.violations.length > 0) return workload.violations[0]
  }
  return undefined
}

const PATHS = [
  '../src/transaction/add-partitions.ts',
  '../src/transaction/ending.ts',
  '../src/transaction/fence.ts',
  '../src/transaction/transaction.ts',
  '../src/runtime/commit-queue.ts',
  '../src/runtime/shard.ts',
]

afterEach(() => {
  for (const path of PATHS) vi.doUnmock(path)
  vi.resetModules()
})

type Ending = typeof import('../src/transaction/ending.ts')

/** How a coordinator that has just been elected writes the markers of what was decided before. */
function plantInFailover(write: (original: Ending, ...args: Parameters<Ending['writeMarkers']>) => void): void {
  vi.doMock('../src/transaction/ending.ts', async (importOriginal) => {
    const original = await importOriginal<Ending>()
    const writeMarkers: Ending['writeMarkers'] = (shard, transaction) => write(original, shard, transaction)
    return { ...original, writeMarkers }
  })
}

describe('the checker of transactions', () => {
  it('finds nothing wrong, and has seen everything', async () => {
    const counts: Record<string, number> = {}
    for (let seed = 1; seed <= SEEDS; seed++) {
      const workload = await new TransactionWorkload({ seed, steps: STEPS }).run()
      expect([seed, workload.violations]).toEqual([seed, []])
      for (const [what, count] of Object.entries(workload.counts)) counts[what] = (counts[what] ?? 0) + count
    }
    const perApi = { init: [0, 15, 16, 51, 90], add: [0, 15, 16, 51, 90], commit: [0, 15, 48, 51, 90], abort: [0, 15, 51, 90] }
    const seen = Object.entries(perApi).flatMap(([api, errors]) => errors.map((error) => `${api} ${error}`))
    for (const what of [
      ...seen,
      'verify 0',
      'verify 120',
      'marker error',
      'failover',
      'records lost',
      'timed out',
      'new producer id',
    ])
      expect([what, counts[what]]).toEqual([what, expect.any(Number)])
  })

  it('finds a fenced producer that may still write', async () => {
    vi.doMock('../src/transaction/add-partitions.ts', async (importOriginal) => {
      const original = await importOriginal<typeof import('../src/transaction/add-partitions.ts')>()
      const addPartitions: typeof original.addPartitions = (shard, claim, ...rest) => {
        const { producerId, producerEpoch } = shard.transactions.get(claim.transactionalId) ?? claim
        return original.addPartitions(shard, { ...claim, producerId, producerEpoch }, ...rest)
      }
      return { ...original, addPartitions }
    })
    expect(await firstViolation()).toMatch(/AddPartitionsToTxn of . by \d+\/\d+ after \d+\/\d+ owned it/)
  })

  it('finds an epoch that two producers own', async () => {
    vi.doMock('../src/transaction/transaction.ts', async (importOriginal) => {
      const original = await importOriginal<typeof import('../src/transaction/transaction.ts')>()
      const transition: typeof original.transition = (transaction, state, changes) => {
        const producerEpoch = state === 'Empty' ? Math.max(transaction.producerEpoch, 0) : changes.producerEpoch
        return original.transition(transaction, state, producerEpoch === undefined ? changes : { ...changes, producerEpoch })
      }
      return { ...original, transition }
    })
    expect(await firstViolation()).toMatch(/two producers own/)
  })

  it('finds markers that a new coordinator turns into their opposite', async () => {
    plantInFailover(({ writeMarkers }, shard, transaction) =>
      writeMarkers(shard, { ...transaction, state: transaction.state === 'PrepareCommit' ? 'PrepareAbort' : 'PrepareCommit' }),
    )
    expect(await firstViolation()).toMatch(/in a transaction of|has the other/)
  })

  it('finds a marker that is written twice, the second time with another epoch', async () => {
    plantInFailover(({ writeMarkers }, shard, transaction) =>
      writeMarkers(shard, { ...transaction, producerEpoch: transaction.producerEpoch + 1 }),
    )
    expect(await firstViolation()).toMatch(/in a transaction of (commit|abort) \d+/)
  })

  it('finds decisions that a new coordinator does not carry out', async () => {
    plantInFailover(() => {})
    expect(await firstViolation()).toMatch(/never ends|is Prepare/)
  })

  it('finds partitions that are forgotten', async () => {
    plantInFailover(({ writeMarkers }, shard, transaction) => {
      const [first] = transaction.partitions
      writeMarkers(shard, { ...transaction, partitions: new Map(first ? [first] : []) })
    })
    expect(await firstViolation()).toMatch(/never ends/)
  })

  it('finds markers of the transaction’s own epoch where it has to be a further one', async () => {
    vi.doMock('../src/transaction/ending.ts', async (importOriginal) => {
      const original = await importOriginal<Ending>()
      const prepareEnd: Ending['prepareEnd'] = (shard, transaction, decision) =>
        original.prepareEnd(shard, { ...transaction, producerEpoch: Math.max(0, transaction.producerEpoch - 1) }, decision)
      return { ...original, prepareEnd }
    })
    expect(await firstViolation()).toMatch(/own epoch|in a transaction of/)
  })

  it('finds a marker on its way that is sent again, and ends the next transaction', async () => {
    vi.doMock('../src/transaction/ending.ts', async (importOriginal) => {
      const original = await importOriginal<Ending>()
      const prepareEnd: Ending['prepareEnd'] = (shard, transaction, decision) => {
        const error = original.prepareEnd(shard, transaction, decision)
        for (const target of shard.endings.get(transaction.transactionalId)?.waiting.values() ?? [])
          Object.defineProperty(target, 'sent', { get: () => false, set: () => {} })
        return error
      }
      return { ...original, prepareEnd }
    })
    expect(await firstViolation()).toMatch(/in a transaction of|own epoch|has the other/)
  })

  it('finds an abort for time that does not fence', async () => {
    vi.doMock('../src/transaction/fence.ts', async () => {
      const { prepareEnd } = await import('../src/transaction/ending.ts')
      const fenceAndAbort: typeof import('../src/transaction/fence.ts').fenceAndAbort = (shard, transaction) =>
        prepareEnd(shard, transaction, { committed: false, version: 0, freshProducerId: undefined })
      return { fenceAndAbort }
    })
    expect(await firstViolation()).toMatch(/was told commit, and .* has the other/)
  })

  it('finds answers that do not wait for the commit', async () => {
    vi.doMock('../src/runtime/commit-queue.ts', async (importOriginal) => {
      const { CommitQueue } = await importOriginal<typeof import('../src/runtime/commit-queue.ts')>()
      class Hasty extends CommitQueue {
        override add(_: number, answer: { send(): void }): void {
          answer.send()
        }
      }
      return { CommitQueue: Hasty }
    })
    expect(await firstViolation()).toBeDefined()
  })

  it('finds markers that do not wait for the commit of the decision', async () => {
    vi.doMock('../src/runtime/shard.ts', async (importOriginal) => {
      const { Shard } = await importOriginal<typeof import('../src/runtime/shard.ts')>()
      class Hasty<S extends import('../src/runtime/ports.ts').ShardState> extends Shard<S> {
        override whenCommitted(run: () => void): void {
          run()
        }
      }
      return { Shard: Hasty }
    })
    expect(await firstViolation()).toMatch(/in a transaction of|has the other|is Prepare/)
  })
})
